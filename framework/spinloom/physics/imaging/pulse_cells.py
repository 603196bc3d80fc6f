"""How finely a pulse under a gradient is sampled: RF and gradient averaged over cells, to fourth order in time.

As in `spinloom.physics.sampling`: two averages of each over a cell of length h with midpoint m, for the Magnus
expansion.  Cells come from joining the file's own, which are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.sequence.spatial_steps import SpatialPulse


@dataclass(frozen=True, eq=False)
class PulseCells:
    """Averages over cells of length h, about their midpoints m.

    length: h [s], shape `(cells,)`
    mean, slope: integral of the complex nutation / h, and of (s - m) times it / h^2 [Hz], shape `(cells,)`
    gradient, gradient_slope: the same of the gradient [Hz/m], shape `(cells, 3)`
    """

    length: np.ndarray
    mean: np.ndarray
    slope: np.ndarray
    gradient: np.ndarray
    gradient_slope: np.ndarray

    @property
    def constant(self) -> bool:
        """Whether nothing varies within a cell, so that its solution is exact."""
        return not np.any(self.slope) and not np.any(self.gradient_slope)


def pulse_cells(pulse: SpatialPulse, cells: int | None) -> PulseCells:
    """Join the cells of a pulse to about `cells` of equal length; None keeps them."""
    count = pulse.durations.size
    if cells is None or count <= cells:
        return PulseCells(
            pulse.durations, pulse.nutation, 0 * pulse.nutation, pulse.gradient, np.zeros_like(pulse.gradient)
        )
    ends = np.concatenate([[0.0], np.cumsum(pulse.durations)])
    borders = np.unique(np.searchsorted(ends, np.linspace(0.0, ends[-1], cells + 1) - 1e-12))
    length = np.diff(ends[borders])
    middle = (ends[:-1] + ends[1:]) / 2
    about = middle - np.repeat((ends[borders][1:] + ends[borders][:-1]) / 2, np.diff(borders))
    mean, slope = _averages(pulse.nutation, pulse.durations, about, borders, length)
    gradient, gradient_slope = _averages(pulse.gradient.T, pulse.durations, about, borders, length)
    return PulseCells(length, mean, slope, gradient.T, gradient_slope.T)


def _averages(
    values: np.ndarray, durations: np.ndarray, about: np.ndarray, borders: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Zeroth and first average of `values` `(..., segments)` over cells that begin at `borders`."""
    zeroth = np.add.reduceat(values * durations, borders[:-1], axis=-1) / length
    first = np.add.reduceat(values * durations * about, borders[:-1], axis=-1) / length**2
    return zeroth, np.where(np.abs(first) < 1e-12 * np.abs(zeroth), 0.0, first)
