"""How finely a pulse is sampled: its envelope averaged over cells, to second or fourth order in time.

A pulse is constant on each of its segments.  Solving every segment is exact; joining segments into fewer cells
is the usual economy.  A cell is solved by the Magnus expansion to fourth order from two averages of the generator
A(t) over the cell [t, t + h] with midpoint m:

    B0 = integral of A,   B1 = (1/h) integral of (s - m) A(s) ds,   U = exp(B0 + B1 B0 - B0 B1)

The zeroth average keeps area and power; the first one keeps where in the cell they lie, which lifts the order
from two to four.  Blanes, Casas, Oteo and Ros, Phys Rep 2009;470:151, section 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spinloom.sequence.timeline import RfWaveform

FAR = 320.0
"""Turns that a pulse's offset makes while it plays, from which on hardly anything is excited, by cells or otherwise."""


COARSE = 64
"""Steps of a file in a cell beyond which it does not matter where among them the cell ends."""

SAME = 1e-6
"""Part of a cell by which two times are the same: the digits of a file."""


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
    """Join the segments of a waveform into about `cells` cells of equal length, or more; None keeps every segment.

    A long constant stretch stays one cell, because it is exact however long it is.
    """
    if cells is None or waveform.durations.size <= cells:
        return _exact(waveform)
    ends = np.concatenate([[0.0], np.cumsum(waveform.durations)])
    borders = _cell_borders(ends, cells)
    length = np.diff(borders)
    middle = borders[:-1] + length / 2

    def averages(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        area, moment = (np.diff(integral) for integral in _integrals(ends, values, borders))
        return area / length, _without_rounding(moment - middle * area, area, length)

    mean, slope = averages(waveform.values)
    power, power_slope = averages(np.abs(waveform.values) ** 2)
    return SampledPulse(length=length, mean=mean, slope=slope, power=power, power_slope=power_slope)


def enough_cells(cells: int | None, turns: float) -> int | None:
    """`cells`, or more where their rate would come near the offset; turns: of the offset while the pulse plays.

    A multiple of the cells' rate that meets the offset excites water by the steps from cell to cell, at that offset and
    hardly at its neighbours.
    """
    return cells if cells is None or turns >= FAR else max(cells, math.ceil(1.5 * turns) + 8)


def _exact(waveform: RfWaveform) -> SampledPulse:
    zeros = np.zeros(waveform.durations.size)
    power = np.abs(waveform.values) ** 2
    return SampledPulse(waveform.durations, waveform.values, zeros + 0j, power, zeros)


def _cell_borders(ends: np.ndarray, cells: int) -> np.ndarray:
    """Times at which cells begin and end: equal ones that never split a long segment.

    ends: begin of the first segment and ends of all [s]
    """
    grid, long = _grid(ends, cells), np.flatnonzero(np.diff(ends) > ends[-1] / cells)
    kept = np.concatenate([ends[[0, -1]], ends[long], ends[long + 1]])
    split = np.isin(np.searchsorted(ends, grid, side="right") - 1, long)
    doubled = np.abs(grid[:, None] - kept).min(axis=1) < SAME * ends[-1] / cells
    return np.unique(np.concatenate([kept, grid[~split & ~doubled]]))


def _grid(ends: np.ndarray, cells: int) -> np.ndarray:
    """Times that cut a waveform into equal cells, of whole raster steps where its segments have a raster.

    The steps of a coarse file are then alike in all cells.  Where they are not, what the cells leave of them repeats at
    a fraction of the cells' rate, and excites at offsets of that rate.
    """
    durations = np.diff(ends)
    counts = durations / durations.min()
    steps = round(float(counts.sum()))
    if np.abs(counts - np.round(counts)).max() > SAME * cells or steps > COARSE * cells:
        return np.linspace(0.0, ends[-1], cells + 1)
    most = max(1, steps // cells)
    alike = next((step for step in range(most, most // 2, -1) if steps % step == 0), most)
    return np.append(np.arange(0, steps, alike) * (ends[-1] / steps), ends[-1])


def _integrals(ends: np.ndarray, values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integrals of an envelope and of time times it, from its begin to each of the `times`."""
    lengths, zero = np.diff(ends), np.zeros(1, dtype=values.dtype)
    area = np.concatenate([zero, np.cumsum(values * lengths)])
    moment = np.concatenate([zero, np.cumsum(values * lengths * (ends[1:] + ends[:-1]) / 2)])
    segment = np.minimum(np.searchsorted(ends, times, side="right") - 1, values.size - 1)
    rest = values[segment] * (times - ends[segment])
    return area[segment] + rest, moment[segment] + rest * (times + ends[segment]) / 2


def _without_rounding(moment: np.ndarray, area: np.ndarray, length: np.ndarray) -> np.ndarray:
    """First averages, with what is rounding alone set to zero so that constant cells stay recognised."""
    moment = np.where(np.abs(moment) < 1e-12 * np.abs(area) * length, 0.0, moment)
    return moment / length**2
