"""How finely a pulse is sampled: its envelope averaged over cells, to second or fourth order in time.

A pulse is constant on each of its segments.  Solving every segment is exact; joining segments into fewer cells
is the usual economy.  A cell is solved by the Magnus expansion to fourth order from two averages of the generator
A(t) over the cell [t, t + h] with midpoint m:

    B0 = integral of A,   B1 = (1/h) integral of (s - m) A(s) ds,   U = exp(B0 + B1 B0 - B0 B1)

The zeroth average keeps area and power; the first one keeps where in the cell they lie, which lifts the order
from two to four.  Blanes, Casas, Oteo and Ros, Phys Rep 2009;470:151, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.sequence.timeline import RfWaveform


@dataclass(frozen=True, eq=False)
class SampledPulse:
    """Averages of an envelope b over cells of length h, per unit amplitude.

    length: h [s], shape `(cells,)`
    mean: integral of b over the cell / h, complex, shape `(cells,)`
    slope: integral of (s - m) b / h^2, complex
    power, power_slope: the same two averages of |b|^2
    """

    length: np.ndarray
    mean: np.ndarray
    slope: np.ndarray
    power: np.ndarray
    power_slope: np.ndarray

    @property
    def constant(self) -> bool:
        """Whether every cell is one segment, so that its solution is exact."""
        return not np.any(self.slope) and not np.any(self.power_slope)


def sample_pulse(waveform: RfWaveform, cells: int | None) -> SampledPulse:
    """Join the segments of a waveform into about `cells` cells of equal length; None keeps every segment.

    A long constant stretch stays one cell, because it is exact however long it is.
    """
    if cells is None or waveform.durations.size <= cells:
        return _exact(waveform)
    ends = np.cumsum(waveform.durations)
    borders = _cell_borders(waveform, ends, cells)
    zeros = np.zeros(1, dtype=np.complex128)
    integral = np.concatenate([zeros, np.cumsum(waveform.values * waveform.durations)])
    moments = _segment_moments(ends, waveform)
    moment = np.concatenate([zeros, np.cumsum(waveform.values * moments)])
    squared = np.abs(waveform.values) ** 2
    energy = np.concatenate([[0.0], np.cumsum(squared * waveform.durations)])
    energy_moment = np.concatenate([[0.0], np.cumsum(squared * moments)])
    length = np.diff(np.concatenate([[0.0], ends])[borders])
    middle = np.concatenate([[0.0], ends])[borders[:-1]] + length / 2
    area, power = np.diff(integral[borders]), np.diff(energy[borders])
    return SampledPulse(
        length=length,
        mean=area / length,
        slope=_without_rounding(np.diff(moment[borders]) - middle * area, area, length),
        power=power / length,
        power_slope=_without_rounding(np.diff(energy_moment[borders]) - middle * power, power, length),
    )


def _exact(waveform: RfWaveform) -> SampledPulse:
    zeros = np.zeros(waveform.durations.size)
    power = np.abs(waveform.values) ** 2
    return SampledPulse(waveform.durations, waveform.values, zeros + 0j, power, zeros)


def _cell_borders(waveform: RfWaveform, ends: np.ndarray, cells: int) -> np.ndarray:
    """Segment numbers at which cells begin and end: about equal cells that never split a long segment."""
    wanted = np.linspace(0.0, ends[-1], cells + 1)[1:-1]
    long = np.flatnonzero(waveform.durations > ends[-1] / cells)
    inner = np.concatenate([np.searchsorted(ends, wanted) + 1, long, long + 1])
    return np.unique(np.concatenate([[0], inner, [ends.size]]))


def _segment_moments(ends: np.ndarray, waveform: RfWaveform) -> np.ndarray:
    """Integral of time over each segment [s^2]."""
    return (ends - waveform.durations / 2) * waveform.durations


def _without_rounding(moment: np.ndarray, area: np.ndarray, length: np.ndarray) -> np.ndarray:
    """First averages, with what is rounding alone set to zero so that constant cells stay recognised."""
    moment = np.where(np.abs(moment) < 1e-12 * np.abs(area) * length, 0.0, moment)
    return moment / length**2
