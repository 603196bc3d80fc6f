"""Values cut to what MLflow takes: its names, its lengths, its batches and its numbers."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PARAMETER_LENGTH = 6000
TAG_LENGTH = 8000
NAME_LENGTH = 250
BATCH_VALUES = 100
BATCH_METRICS = 1000
BATCH_CHARACTERS = 100_000
"""MLflow's limits; a request may hold 1 MB, and JSON writes a character with up to six bytes, twice that for some."""

_SHOWN = 200


@dataclass(frozen=True)
class Point:
    """One value of a metric: at a step (an epoch, say) and a time [ms since 1970]."""

    name: str
    value: float
    step: int
    time: int


def now() -> int:
    """This moment as MLflow counts time [ms since 1970]."""
    return int(time.time() * 1000)


def storable_names(values: Mapping[str, object]) -> dict[str, object]:
    """The same values under names that MLflow takes; two names that become one are numbered apart."""
    storable: dict[str, object] = {}
    for name, value in values.items():
        base = plain = storable_name(name)
        number = 1
        while plain in storable:
            number += 1
            plain = f"{base}_{number}"
        storable[plain] = value
    return storable


def storable_name(name: str) -> str:
    """`name` with `_` for each character that MLflow refuses, and no longer than it may be."""
    parts = [part for part in re.sub(r"[^\w.\- /]", "_", name).split("/") if part.strip(". ")]
    return "/".join(parts)[: NAME_LENGTH - 4].rstrip("/") or "_"


def short_texts(values: Mapping[str, object], limit: int, folder: str) -> tuple[dict[str, str], dict[str, str]]:
    """Each value as text of at most `limit` characters, and the files that hold whole what is longer.

    MLflow would cut a longer one without a word; this says where the whole is: in `folder` among the run's files.
    """
    texts = {name: str(value) for name, value in values.items()}
    files = {}
    for name, text in texts.items():
        if len(text) > limit:
            file = f"{folder}/{name}.txt"
            files[file] = text
            texts[name] = f"{text[:_SHOWN]}... (all {len(text)} characters are in {file})"
    return texts, files


def batches(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The texts in batches that each fit into one request."""
    batch: dict[str, str] = {}
    characters = 0
    for name, text in texts.items():
        if batch and (len(batch) == BATCH_VALUES or characters + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, characters = {}, 0
        batch[name] = text
        characters += len(text)
    if batch:
        yield batch


def finite(points: list[Point]) -> tuple[list[Point], dict[str, str]]:
    """Points that MLflow stores as they are, and a tag for each metric that was not finite.

    MLflow keeps NaN, and would make of an infinity the largest number, which ruins every plot: it becomes NaN, and
    the tag says what it was.
    """
    stored = [Point(p.name, p.value if math.isfinite(p.value) else math.nan, p.step, p.time) for p in points]
    odd = {f"nonfinite/{p.name}": f"{p.value} at step {p.step}" for p in points if not math.isfinite(p.value)}
    return stored, odd
