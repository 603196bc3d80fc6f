"""A sampled waveform as Pulseq stores it: run-length encoded increments.

Pulseq compresses a shape by differencing it and replacing n >= 2 equal differences d by the triple
(d, d, n - 2).  A 15 s block pulse on a 1 us raster is fifteen million samples in the file's meaning and
seven numbers in its text; here it stays a handful of runs until somebody asks for samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.frozen import freeze

MAX_DECODED_SAMPLES = 4_000_000
"""More samples than this are refused when a shape is expanded: 4 s of a pulse that changes every microsecond."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Cumulative sum of `increments`, each repeated `counts` times; starts from zero.

    increments: finite steps between samples, shape `(runs,)`
    counts: how many successive samples take that step, positive integers, shape `(runs,)`
    """

    increments: np.ndarray
    counts: np.ndarray

    def __post_init__(self) -> None:
        freeze(self.increments, self.counts)

    @property
    def size(self) -> int:
        """Number of samples."""
        return int(self.counts.sum())

    @property
    def last(self) -> float:
        """The last sample, without expanding the others."""
        return float(np.dot(self.increments, self.counts))

    @property
    def rises(self) -> bool:
        """Whether the samples grow strictly from zero or more, as the points of a time shape do."""
        slopes = self.increments[1:] if self.counts[0] == 1 else self.increments
        return bool(self.increments[0] >= 0 and np.all(slopes > 0))

    def samples(self) -> np.ndarray:
        """The waveform sample by sample, float64, shape `(size,)`."""
        refuse_oversized(self.size)
        return np.cumsum(np.repeat(self.increments, self.counts))

    def runs(self) -> tuple[np.ndarray, np.ndarray]:
        """The waveform as constant runs: values and sample counts, both of shape `(runs,)`.

        Flat stretches stay one run however long they are; a slope takes one run a sample.
        """
        flat = self.increments == 0
        repeats = np.where(flat, 1, self.counts)
        refuse_oversized(int(repeats.sum()))
        increments = np.repeat(self.increments, repeats)
        counts = np.repeat(np.where(flat, self.counts, 1), repeats)
        values = np.cumsum(increments)
        starts = np.flatnonzero(np.concatenate([[True], increments[1:] != 0]))
        return values[starts], np.add.reduceat(counts, starts)


def refuse_oversized(samples: int) -> None:
    """Raise `SequenceError` where a waveform takes more samples than fit the memory of a small machine."""
    if samples > MAX_DECODED_SAMPLES:
        raise SequenceError(
            f"a waveform expands to {samples:,} samples, more than the {MAX_DECODED_SAMPLES:,} that are decoded; "
            "store long waveforms as constant stretches or on a coarser time shape."
        )


def decode(stored: np.ndarray, size: int, where: str, may_be_plain: bool = True) -> Shape:
    """Decode the numbers of one `[SHAPES]` entry.

    stored: the entry's finite numbers as they stand in the file, shape `(n,)`
    size: the entry's `num_samples`
    where: what to call the entry in an error
    may_be_plain: since version 1.4 an entry of `size` numbers is stored sample by sample; before, every entry is
        compressed and the numbers may be as many by chance
    """
    if size < 1 or stored.size == 0:
        raise SequenceError(f"{where} holds {stored.size} numbers for {size} samples; a shape needs at least one.")
    if may_be_plain and stored.size == size:
        return Shape(np.diff(stored, prepend=0.0), np.ones(size, dtype=np.int64))
    increments, counts = _run_lengths(stored.tolist(), size, where)
    if sum(counts) != size:
        raise SequenceError(
            f"{where} decodes to {sum(counts):,} samples, but its num_samples says {size:,}; "
            "the file is truncated or damaged."
        )
    return Shape(np.array(increments), np.array(counts, dtype=np.int64))


def _run_lengths(numbers: list[float], size: int, where: str) -> tuple[list[float], list[int]]:
    """Increments and their counts from the triples (d, d, n - 2) and single increments of a compressed shape."""
    increments: list[float] = []
    counts: list[int] = []
    position = 0
    while position < len(numbers):
        repeated = numbers[position + 1 : position + 2] == [numbers[position]]
        increments.append(numbers[position])
        counts.append(_run_length(numbers[position + 2 : position + 3], size, where) if repeated else 1)
        position += 3 if repeated else 1
    return increments, counts


def _run_length(extra: list[float], size: int, where: str) -> int:
    if not extra:
        raise SequenceError(f"{where} ends before the length of its last run; the file is truncated.")
    if not 0 <= extra[0] <= size or extra[0] != int(extra[0]):
        raise SequenceError(
            f"{where} repeats a sample {extra[0]:g} times; a run length is a whole number from 0 to "
            f"num_samples ({size:,})."
        )
    return int(extra[0]) + 2
