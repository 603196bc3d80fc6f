"""Evenly spaced positions in k-space: their spacing, which of them each line takes, and the image that they encode."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spinloom.reconstruction.not_cartesian import NotCartesianError

OFF_GRID = 0.05
"""A line may lie this part of a cell off its grid: it turns the image's phase by 0.15 rad at its edge."""

SAME = 0.02
"""Positions closer than this part of a cell (1 / field of view) are one."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Positions `first + n step` on one axis.

    first, step: [cycles/m]; step is infinite where there is one position alone, which then encodes nothing
    count: positions from the first that is taken to the last
    taken: how many of them are taken
    """

    first: float
    step: float
    count: int
    taken: int

    @property
    def positions(self) -> np.ndarray:
        """k of all positions [cycles/m], shape `(count,)`."""
        return self.first + (np.arange(self.count) * self.step if self.count > 1 else np.zeros(1))


def find_grid(values: np.ndarray, fov: float, what: str) -> tuple[Grid, np.ndarray]:
    """The grid on which `values` [cycles/m] of an axis lie, and the position of each; `NotCartesianError` where they
    do not.

    fov: extent that the image is to have along the axis [m]
    what: how to call the axis in an error
    """
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order]) * fov > SAME
    number = np.empty(values.size, dtype=np.int64)
    number[order] = np.concatenate([[0], np.cumsum(steps)])
    distinct = np.bincount(number, weights=values) / np.bincount(number)
    if distinct.size == 1:
        return Grid(float(distinct[0]), math.inf, 1, 1), number
    step = float(np.diff(distinct).min())
    index = np.round((distinct - distinct[0]) / step)
    step, first = np.polyfit(index, distinct, 1)
    off = np.abs(distinct - first - step * index) / step
    if off.max() > OFF_GRID:
        worst = int(np.argmax(off))
        raise NotCartesianError(
            f"The lines are not evenly spaced along {what}: one lies at {distinct[worst] * fov:.4g} cycles over the "
            f"field of view, {off[worst]:.2g} of the spacing of {step * fov:.4g} beside the next place of their grid. "
            "A Cartesian image needs a grid; take method='nufft', or choose other events (`events=`)."
        )
    places = index.astype(np.int64)
    return Grid(float(first), float(step), int(places[-1]) + 1, distinct.size), places[number]


def matrix_of(low: float, high: float, step: float, fov: float) -> int:
    """Voxels along an axis of extent `fov` [m] that samples from `low` to `high`, `step` apart, resolve [cycles/m].

    Each sample stands for a cell of `step`.  Where the cells lie about k = 0 as evenly as whole samples can, the image
    has as many voxels as they span; where they do not (partial Fourier, partial echo), as many as the full span that
    the farther side implies.
    """
    if not math.isfinite(step):
        return 1
    left, right = (step / 2 - low) * fov, (high + step / 2) * fov
    if abs(left - right) <= 1.1 * step * fov:
        return max(1, round(left + right))
    return 2 * max(math.floor(left + SAME), math.ceil(right - SAME))
