"""A sampled waveform as Pulseq stores it: run-length encoded increments.

Pulseq compresses a shape by differencing it and replacing n >= 2 equal differences d by the triple
(d, d, n - 2).  A 15 s block pulse on a 1 us raster is fifteen million samples in the file's meaning and
seven numbers in its text; here it stays a handful of runs until somebody asks for samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.errors import SequenceError

MAX_DECODED_SAMPLES = 50_000_000
"""More samples than this are refused when a shape is expanded: 50 s of a waveform on a 1 us raster."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Cumulative sum of `increments`, each repeated `counts` times; starts from zero.

    increments: finite steps between samples, shape `(runs,)`
    counts: how many successive samples take that step, positive integers, shape `(runs,)`
    """

    increments: np.ndarray
    counts: np.ndarray

    @property
    def size(self) -> int:
        """Number of samples."""
        return int(self.counts.sum())

    def samples(self) -> np.ndarray:
        """The waveform sample by sample, float64, shape `(size,)`."""
        _refuse_oversized(self.size)
        return np.cumsum(np.repeat(self.increments, self.counts))

    def runs(self) -> tuple[np.ndarray, np.ndarray]:
        """The waveform as constant runs: values and sample counts, both of shape `(runs,)`.

        Flat stretches stay one run however long they are; a slope takes one run a sample.
        """
        flat = self.increments == 0
        repeats = np.where(flat, 1, self.counts)
        _refuse_oversized(int(repeats.sum()))
        increments = np.repeat(self.increments, repeats)
        counts = np.repeat(np.where(flat, self.counts, 1), repeats)
        values = np.cumsum(increments)
        starts = np.flatnonzero(np.concatenate([[True], increments[1:] != 0]))
        return values[starts], np.add.reduceat(counts, starts)


def _refuse_oversized(samples: int) -> None:
    if samples > MAX_DECODED_SAMPLES:
        raise SequenceError(
            f"A shape expands to {samples:,} samples, more than the {MAX_DECODED_SAMPLES:,} that are decoded; "
            "store long pulses as constant stretches or on a coarser time shape."
        )


def decode(stored: np.ndarray, size: int, where: str) -> Shape:
    """Decode the numbers of one `[SHAPES]` entry.

    stored: the entry's numbers as they stand in the file, shape `(n,)`
    size: the entry's `num_samples`; equal to `n` when the entry is stored sample by sample
    where: what to call the entry in an error
    """
    if size < 1 or stored.size == 0:
        raise SequenceError(f"{where} holds {stored.size} numbers for {size} samples; a shape needs at least one.")
    if not np.all(np.isfinite(stored)):
        raise SequenceError(f"{where} holds the number {stored[~np.isfinite(stored)][0]}; shapes must be finite.")
    if stored.size == size:
        increments, counts = np.diff(stored, prepend=0.0), np.ones(size, dtype=np.int64)
    else:
        increments, counts = _run_lengths(stored, where)
        if counts.sum() != size:
            raise SequenceError(
                f"{where} decodes to {counts.sum():,} samples, but num_samples says {size:,}; "
                "the file is truncated or damaged."
            )
    return Shape(increments, counts)


def _run_lengths(stored: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Increments and their counts from the triples (d, d, n - 2) and single increments of a compressed shape."""
    increments: list[float] = []
    counts: list[int] = []
    numbers = stored.tolist()
    position = 0
    while position < len(numbers):
        value = numbers[position]
        repeated = position + 2 < len(numbers) and numbers[position + 1] == value
        extra = numbers[position + 2] if repeated else 0
        if extra < 0 or extra != int(extra) or extra > 2**53:
            raise SequenceError(f"{where} repeats a sample {extra} times; a run length is a whole number from 0.")
        increments.append(value)
        counts.append(int(extra) + 2 if repeated else 1)
        position += 3 if repeated else 1
    return np.array(increments), np.array(counts, dtype=np.int64)
