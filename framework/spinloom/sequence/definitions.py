"""The [DEFINITIONS] section: numbers as numbers, the rest as text, and the raster times among them."""

from __future__ import annotations

import math

from spinloom.errors import SequenceError
from spinloom.sequence.text import Row, SequenceText

Definition = float | tuple[float, ...] | str

RASTERS = ("RadiofrequencyRasterTime", "GradientRasterTime", "AdcRasterTime", "BlockDurationRaster")
"""Definitions that scale the file's times [s]."""


def read_definitions(text: SequenceText) -> dict[str, Definition]:
    """The definitions of a file by name; the last one wins where a name comes twice, as in pypulseq."""
    return {row.words[0]: _value(row) for row in text.rows("[DEFINITIONS]")}


def stated_rasters(definitions: dict[str, Definition], source: str) -> dict[str, float]:
    """The raster times that a file states [s]; raise `SequenceError` where one is no positive time below 1 s."""
    stated: dict[str, float] = {}
    for name in RASTERS:
        value = definitions.get(name)
        if isinstance(value, float) and 1e-12 <= value < 1:
            stated[name] = value
        elif value is not None:
            raise SequenceError(
                f"{source}: the definition {name} is {value!r}; a raster is one time in seconds, from 1e-12 to below 1."
            )
    return stated


def _value(row: Row) -> Definition:
    words = row.words[1:]
    numbers = tuple(_finite(word) for word in words)
    if not words or any(number is None for number in numbers):
        return row.text[len(row.words[0]) :].strip()
    return numbers[0] if len(numbers) == 1 else numbers  # type: ignore[return-value]


def _finite(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in word else None
