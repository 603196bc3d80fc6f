"""Read a Pulseq file and lower it to a `Timeline`; with `sequence/writing` the only importer of pypulseq.

pypulseq owns the format: versions, columns, units, defaults of older files.  Its `Sequence.read` also expands
every RF event of every block, which takes minutes and gigabytes for saturation pulses; the subclass below keeps
that from happening, and the distinct events are decoded here, once each.
"""

from __future__ import annotations

import tempfile
import warnings
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from spinloom.errors import SequenceError, SpinloomError, known_names
from spinloom.sequence.text import SequenceText, read_text
from spinloom.sequence.timeline import Timeline


def read_sequence(name_or_path: str | Path) -> Timeline:
    """Read a `.seq` file of Pulseq 1.2 to 1.5.

    name_or_path: a path, or the name of a sequence that Spinloom ships (see `sequence_names`)

    Raises `SequenceError` with the line or event that is wrong.
    """
    return lower(read_text(sequence_path(name_or_path)))


_ONE_SAMPLE = np.ones(1)


@cache
def _shipped() -> dict[str, Path]:
    with as_file(files("spinloom") / "sequences") as folder:
        return {path.stem: path for path in sorted(folder.rglob("*.seq"))}


def sequence_names() -> list[str]:
    """Names of the sequences that Spinloom ships."""
    return sorted(_shipped())


def sequence_path(name_or_path: str | Path) -> Path:
    """The file that a name or path means."""
    path = Path(name_or_path)
    if str(name_or_path) in _shipped() and not path.exists():
        return _shipped()[str(name_or_path)]
    if not path.exists() and path.suffix == "" and path.name == str(name_or_path):
        raise SequenceError(
            f"There is no sequence '{name_or_path}'. {known_names(str(name_or_path), _shipped())} "
            "A path to a .seq file does as well."
        )
    return path


def lower(text: SequenceText) -> Timeline:
    """Turn checked text into a timeline."""
    from spinloom.sequence.lowering import lower_libraries

    sequence = _parse(text)
    try:
        return lower_libraries(sequence, text)
    except SpinloomError as error:
        raise SequenceError(f"{text.source}: {error}") from None


def _parse(text: SequenceText) -> Any:
    import pypulseq

    class CompactSequence(pypulseq.Sequence):
        """A sequence whose blocks and RF pulses are not expanded while it is read."""

        def rf_from_lib_data(self, lib_data: Any, use: str = "") -> SimpleNamespace:
            """A stand-in of one sample; the reader asks it for its centre alone, which lowering computes."""
            return SimpleNamespace(signal=_ONE_SAMPLE, t=_ONE_SAMPLE, center=0.0)

        def get_block(self, block_index: int) -> SimpleNamespace:
            """A block without events; the reader asks it for durations and gradient ends, which lowering computes."""
            duration = self.block_durations[block_index]
            return SimpleNamespace(block_duration=duration, rf=None, gx=None, gy=None, gz=None)

    sequence = CompactSequence(use_block_cache=False)
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        laid_out = Path(folder) / "sequence.seq"
        laid_out.write_text(text.layout(), encoding="ascii", errors="replace")
        try:
            sequence.read(str(laid_out), detect_rf_use=False, remove_duplicates=False)
        except Exception as error:
            raise SequenceError(f"{text.source} is not read by pypulseq: {type(error).__name__}: {error}.") from error
    return sequence
