"""The door to pypulseq, which owns the tables of the format: columns by version, units, defaults of older files.

Its `Sequence.read` also expands every RF event and every block of a file before version 1.5, which takes minutes and
gigabytes for saturation pulses.  The subclass here keeps that from happening; shapes, definitions and extension lists
are left out of the text that it is given, because they are decoded elsewhere, once each.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.text import SequenceText

_TABLES = ("[BLOCKS]", "[RF]", "[GRADIENTS]", "[TRAP]", "[ADC]", "[DELAYS]")

_ONE_SAMPLE = np.ones(1)


def read_libraries(text: SequenceText, rasters: dict[str, float]) -> Any:
    """A pypulseq sequence whose event libraries and block table are those of checked `text`.

    rasters: definitions of raster times that the file states [s]; pypulseq's defaults stand in for the others
    """
    _refuse_unknown_delays(text)
    sequence = _compact_sequence()
    try:
        with tempfile.TemporaryDirectory(prefix="spinloom-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tables = Path(folder) / "tables.seq"
            tables.write_text(_layout(text, rasters), encoding="ascii")
            sequence.read(str(tables), detect_rf_use=False, remove_duplicates=False)
    except OSError as error:
        raise SequenceError(f"{text.source} needs a temporary file to be read: {error}; make room for it.") from None
    except Exception as error:
        raise SequenceError(f"{text.source} is not read by pypulseq: {type(error).__name__}: {error}.") from error
    return sequence


def _compact_sequence() -> Any:
    import pypulseq

    class CompactSequence(pypulseq.Sequence):
        """A sequence whose blocks and RF pulses are not expanded while it is read."""

        def rf_from_lib_data(self, lib_data: Any, use: str = "") -> SimpleNamespace:
            """A stand-in of one sample; the reader asks it for its centre alone."""
            return SimpleNamespace(signal=_ONE_SAMPLE, t=_ONE_SAMPLE, center=0.0)

        def get_block(self, block_index: int) -> SimpleNamespace:
            """A block without events; the reader asks it for durations and gradient ends."""
            return SimpleNamespace(block_duration=self.block_durations[block_index], rf=None, gx=None, gy=None, gz=None)

    return CompactSequence(use_block_cache=False)


def _layout(text: SequenceText, rasters: dict[str, float]) -> str:
    """Version, rasters and tables in the order and with the blank lines that pypulseq relies on."""
    major, minor, revision = text.version
    parts = [f"[VERSION]\nmajor {major}\nminor {minor}\nrevision {revision}\n"]
    if rasters:
        parts.append("\n".join(["[DEFINITIONS]", *(f"{name} {value!r}" for name, value in rasters.items()), ""]))
    tables = ((table, text.rows(table)) for table in _TABLES)
    parts.extend("\n".join([table, *(" ".join(row.words) for row in rows), ""]) for table, rows in tables if rows)
    return "\n".join(parts) + "\n"


def _refuse_unknown_delays(text: SequenceText) -> None:
    """Before version 1.4 a block names a delay event in its second column."""
    if text.version >= (1, 4, 0):
        return
    known = {0} | {int(row.words[0]) for row in text.rows("[DELAYS]")}
    for row in text.rows("[BLOCKS]"):
        block, delay = row.words[:2]
        if int(delay) not in known:
            raise SequenceError(f"{text.source}: block {block} plays delay {delay}, which the file does not define.")
