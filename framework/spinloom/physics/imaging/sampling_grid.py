"""What a grid of isochromats makes of moments that it cannot resolve: places in k-space where it repeats itself.

Spins d apart cannot tell the moment k from k + n/d: a coherence that gradients dephase comes back as a false echo where
its moment nears a multiple of 1/d, in samples of |k| d > 1/2.  The spins of a single plane, whose depths g neighbours
share along x and y, a step of the depth times the stride a apart from one to the next (`depths`), repeat themselves
already every 1/(g d), m of them further on with the strength

    D(u) = |sin(pi g u) / (g sin(pi u))|,   u = k_z step + m a'/g,   a a' = 1 mod g

and weigh the plane itself with the product of D(k_z step) along x and y, a solid slab with sinc(k_z thickness).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging import depths
from spinloom.tissue.phantom import Phantom

BORDER = 1 - 1e-6
"""A sample at |k| d = 1/2 is not beyond it."""

FAINT = 1e-5
"""Strength below which a repetition is none."""


@dataclass(frozen=True)
class SamplingGrid:
    """Isochromats along x, y, z: how many, over which extent [m].

    groups: neighbours that share the depths of a single plane; 1 where they share none
    """

    counts: tuple[int, int, int]
    extents: tuple[float, float, float]
    groups: tuple[int, int, int]

    @property
    def plane(self) -> bool:
        """Whether it is a single plane, whose thickness is no axis of the grid."""
        return self.counts[2] == 1

    def repetition(self, axis: int, depth: np.ndarray, part: int | np.ndarray) -> np.ndarray:
        """Strength of the repetition `part`/(g d) further on, for moments `depth` through the plane [cycles/m].

        Of the shape to which `depth` and `part` broadcast.
        """
        group = self.groups[axis]
        step = self.extents[2] / math.prod(self.groups[axis:])
        cycles = depth * step + part * pow(depths.stride(group), -1, group) / group
        turn = np.sin(np.pi * cycles)
        whole = np.abs(turn) < 1e-9
        strength: np.ndarray = np.abs(np.sin(np.pi * group * cycles) / (group * np.where(whole, 1.0, turn)))
        return np.where((group == 1) | whole, 1.0, strength)

    def slab_error(self, depth: np.ndarray) -> np.ndarray:
        """By how much a single plane of spins dephases otherwise than a slab of its thickness; else 0."""
        cycles = depth * self.extents[2]
        held = self.repetition(0, depth, 0) * self.repetition(1, depth, 0)
        error = np.abs(held - np.abs(np.sinc(cycles)))
        return np.where(self.plane & (np.abs(cycles) > BORDER / 2), error, 0.0)


def grid_of(phantom: Phantom, dephasing: bool) -> SamplingGrid:
    """The grid of a phantom's isochromats; `dephasing` as for `spins_of`."""
    planes, rows, columns = phantom.shape
    groups = (*depths.groups(columns, rows), 1) if dephasing and planes == 1 else (1, 1, 1)
    return SamplingGrid((columns, rows, planes), phantom.fov, groups)


@dataclass(frozen=True, eq=False)
class Seen:
    """At most which part of a coherence's magnetisation samples see.

    true, false: where it belongs, and where it does not, shape `(coherences,)`
    slab: whether `false` is the thickness of a single plane that dephases otherwise than a slab
    shifts: where it is seen falsely along x, y, z, in parts of 1/d, shape `(coherences, 3)`
    """

    true: np.ndarray
    false: np.ndarray
    slab: np.ndarray
    shifts: np.ndarray


def seen_by(grid: SamplingGrid, low: np.ndarray, high: np.ndarray, depth: np.ndarray) -> Seen:
    """What samples see of coherences between their moments `low` and `high` `(coherences, 3)` [cycles/m].

    depth: moments through the plane [cycles/m], shape `(coherences,)`
    """
    axes = [_along(grid, axis, low[:, axis], high[:, axis], depth) for axis in range(2 if grid.plane else 3)]
    best = [np.maximum(axis.true, axis.false) for axis in axes]
    ways = np.array([axis.false * _product(best[:n] + best[n + 1 :]) for n, axis in enumerate(axes)])
    way = ways.argmax(axis=0)
    slab_sees = grid.slab_error(depth) * _product([axis.near for axis in axes])
    slab = slab_sees > ways.max(axis=0)
    shifts = np.zeros((depth.size, 3))
    for n, axis in enumerate(axes):
        shifts[:, n] = np.where(((way == n) | (axis.false > axis.true)) & ~slab, axis.shift, 0.0)
    return Seen(_product([axis.true for axis in axes]), np.maximum(ways.max(axis=0), slab_sees), slab, shifts)


@dataclass(frozen=True, eq=False)
class _Along:
    """`Seen` along one axis; near: as `true`, without the depths of a plane."""

    near: np.ndarray
    true: np.ndarray
    false: np.ndarray
    shift: np.ndarray


def _along(grid: SamplingGrid, axis: int, low: np.ndarray, high: np.ndarray, depth: np.ndarray) -> _Along:
    count, group = grid.counts[axis], grid.groups[axis]
    low, high = low * grid.extents[axis], high * grid.extents[axis]
    near = _spectrum(_distance(low, high, np.zeros_like(low)))
    false, shift = np.zeros_like(low), np.zeros_like(low)
    strengths = grid.repetition(axis, depth, np.arange(group)[:, None])
    for part, strength in enumerate(strengths):
        some = np.flatnonzero(strength > FAINT)
        least, most = low[some], high[some]
        reach = count / 2 / (group if part else 1) * BORDER
        edges = np.stack([least, most]) / count - part / group
        order = np.concatenate([np.floor(edges), np.ceil(edges)]) + part / group
        away = _distance(least, most, order * count)
        sees = np.where((away < reach) & (order != 0), strength[some] * _spectrum(away), 0.0)
        best = sees.argmax(axis=0), np.arange(some.size)
        shift[some] = np.where(sees[best] > false[some], order[best], shift[some])
        false[some] = np.maximum(false[some], sees[best])
    return _Along(near, near * strengths[0], false, shift)


def _spectrum(distance: np.ndarray) -> np.ndarray:
    """At most what is seen of a solid body whose echo is so far away, in cycles per extent: 1/(pi distance)."""
    return 1 / np.maximum(1.0, np.pi * distance)


def _distance(low: np.ndarray, high: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(low - place, place - high), 0.0)


def _product(factors: list[np.ndarray]) -> np.ndarray:
    product = np.ones(())
    for factor in factors:
        product = product * factor
    return product
