"""How many isochromats would do: the smallest of some finer grids on which no coherence is seen falsely."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from spinloom.physics.imaging import depths
from spinloom.physics.imaging.sampling_grid import SamplingGrid, seen_by

FACTORS = (1, 1.5, 2, 3, 4, 8)
"""By how much each side of the grid may grow."""

PLANES = (1, 4, 8, 16, 32)
"""Planes that a single one may become."""

WORST = 64
"""Coherences on which a grid is tried before all of them."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Coherences as grids meet them.

    low, high: least and largest moment of their samples [cycles/m], shape `(coherences, 3)`
    depth: moment through the plane [cycles/m], and amplitude in parts of the mean M0, shapes `(coherences,)`
    """

    low: np.ndarray
    high: np.ndarray
    depth: np.ndarray
    amplitudes: np.ndarray

    def part(self, which: np.ndarray) -> Moments:
        """Some of them."""
        return Moments(self.low[which], self.high[which], self.depth[which], self.amplitudes[which])

    def false(self, grid: SamplingGrid) -> np.ndarray:
        """At most what a grid sees of each where it does not belong, in parts of the mean M0."""
        seen: np.ndarray = seen_by(grid, self.low, self.high, self.depth).false * self.amplitudes
        return seen


def enough_isochromats(
    grid: SamplingGrid, moments: Moments, least: float, sides: tuple[bool, ...]
) -> SamplingGrid | None:
    """The smallest finer grid that sees at most `least` of any coherence falsely; None where none of those tried does.

    sides: which of x, y and z may need more isochromats
    """
    worst = np.argsort(-moments.amplitudes)[:WORST]
    for finer in sorted(_finer(grid, sides), key=lambda tried: (np.prod(tried.counts), tried.counts)):
        if (moments.part(worst).false(finer) > least).any():
            continue
        false = moments.false(finer)
        if not (false > least).any():
            return finer
        worst = np.union1d(worst, np.argsort(-false)[:WORST])
    return None


def _finer(grid: SamplingGrid, sides: tuple[bool, ...]) -> Iterator[SamplingGrid]:
    """Finer grids; those of a single plane spread over its thickness."""
    columns, rows, planes = grid.counts
    x_factors, y_factors, z_factors = (FACTORS if side else (1,) for side in sides)
    tried = PLANES if grid.plane else tuple(math.ceil(planes * factor) for factor in z_factors)
    for x_factor, y_factor, z in product(x_factors, y_factors, tried):
        x, y = math.ceil(columns * x_factor), math.ceil(rows * y_factor)
        yield SamplingGrid((x, y, z), grid.extents, (*depths.groups(x, y), 1) if z == 1 else (1, 1, 1))
