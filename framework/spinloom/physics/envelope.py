"""What solving a pulse takes to know of its envelope alone: whether half of it is enough, and its cells.

A pulse that is the same backwards is solved over its first half (`columns.mirror`).  How nearly it must be so follows
from the error that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from spinloom.physics.far_pulses import MOST_STEPS
from spinloom.physics.propagation import PulseKey
from spinloom.physics.sampling import FAR, SAME, SampledPulse, enough_cells, sample_pulse
from spinloom.sequence.timeline import RfWaveform

SYMMETRY = 1e-7
"""Largest part of a pulse's area by which the two halves of a symmetric one may differ: the digits of a file."""


FEW_SEGMENTS = 3
"""Pulses of so many segments at most are solved by one exponential each."""


@dataclass(frozen=True, eq=False)
class Envelope:
    """A waveform, and its samplings as they are asked for."""

    waveform: RfWaveform
    _sampled: dict[tuple[int | None, bool], SampledPulse] = field(default_factory=dict)

    @property
    def few(self) -> bool:
        """Whether its segments are so few that each is worth an exponential."""
        return self.waveform.durations.size <= FEW_SEGMENTS

    @cached_property
    def real(self) -> bool:
        """Whether it has one phase, and that zero or half a turn."""
        return not np.any(self.waveform.values.imag)

    @cached_property
    def asymmetry(self) -> float:
        """Largest part of its area by which a real envelope differs backwards; infinite for a complex one."""
        if not self.real:
            return np.inf
        durations, values = self.waveform.durations, self.waveform.values.real
        ends = np.concatenate([[0.0], np.cumsum(durations)])
        area = np.concatenate([[0.0], np.cumsum(values * durations)])
        backwards = area[-1] - np.interp(ends[-1] - ends, ends, area)
        return float(np.abs(area - backwards).max() / max(np.abs(area).max(), np.finfo(float).tiny))

    def mirrored(self, tolerance: float) -> bool:
        """Whether its first half stands for the whole, within the digits of a file and the tolerance."""
        return self.asymmetry <= min(SYMMETRY, tolerance)

    @cached_property
    def half(self) -> RfWaveform:
        """Its first half, a segment across the middle cut."""
        return _first_half(self.waveform)

    @cached_property
    def steps(self) -> int | None:
        """How many equal steps a real envelope has; None for a complex one, for unequal steps and for very many."""
        counts = self.waveform.durations / self.waveform.durations.min()
        steps = round(float(counts.sum()))
        return steps if self.real and steps <= MOST_STEPS and np.abs(counts - np.round(counts)).max() < SAME else None

    def sampled(self, cells: int | None, half: bool) -> SampledPulse:
        """Its cells, or those of its half, so many for the whole; None keeps every segment."""
        if (cells, half) not in self._sampled:
            form = self.half if half else self.waveform
            wanted = (cells + 1) // 2 if half and cells is not None else cells
            self._sampled[cells, half] = sample_pulse(form, wanted)
        return self._sampled[cells, half]


def _first_half(waveform: RfWaveform) -> RfWaveform:
    ends = np.cumsum(waveform.durations)
    durations = np.minimum(ends, ends[-1] / 2) - np.minimum(ends - waveform.durations, ends[-1] / 2)
    kept = durations > 1e-12 * ends[-1]
    return RfWaveform(durations[kept], waveform.values[kept], exact=waveform.exact)


def sampled_alike(
    envelope: Envelope, keys: list[PulseKey], cells: int | None, half: bool
) -> list[tuple[int | None, slice]]:
    """Cells, and neighbouring keys that are sampled so and, but for few, solved in the same way."""
    if cells is None:
        return [(None, slice(0, len(keys)))]
    turns = [envelope.waveform.duration * abs(key.frequency) for key in keys]
    counts = [_doubled(envelope, half, cells, enough_cells(cells, each)) for each in turns]
    sizes = {count: envelope.sampled(count, half).length.size for count in set(counts)}
    kinds = [sizes[count] if each < FAR else 0 for count, each in zip(counts, turns, strict=True)]
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(keys)]
    return [(counts[begin], slice(begin, end)) for begin, end in pairwise(edges)]


def _doubled(envelope: Envelope, half: bool, cells: int, wanted: int | None) -> int:
    """The first of `cells`, twice as many and so on that cuts the envelope into `wanted` cells or its segments."""
    whole = 2 if half else 1
    least = min(wanted or 0, envelope.waveform.durations.size)
    while cells < least and whole * envelope.sampled(cells, half).length.size < least:
        cells *= 2
    return cells
