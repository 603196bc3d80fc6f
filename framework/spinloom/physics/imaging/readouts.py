"""Readouts as a few sums: magnetisation at nodes in time, interpolated to the samples.

    S(t) = sum over r of M(r) e^(L(r) t) e^(2 pi i k(t) r),   L = 2 pi i dB0 - R2
    e^(L t) = sum over p of l_p(t) e^(L t_p)

with Lagrange polynomials l_p through Chebyshev nodes t_p: what relaxation and off-resonance do within a readout is as
smooth as the readout is short, while the gradient's phase is taken exactly.  The mean of L over the spins is taken out
first.  Where samples differ in moment along one axis of the grid alone (a line), the other axes are summed before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from spinloom.physics.imaging.ranges import range_of
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import SpatialReadout

STILL = 1e-9
"""Turns by which phases along an axis may differ over a readout that counts as still."""

LONGEST_TURN = 2.0
"""Readouts are cut into parts within which off-resonance and decay stay below this many radians from the middle."""


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Nodes and Lagrange polynomials of a readout.

    nodes: [s] from the readout's middle, shape `(nodes,)`
    weights: complex, of each node at each sample, with the mean of L, shape `(samples, nodes)`
    """

    nodes: np.ndarray
    weights: np.ndarray


def spread_rate(spins: Spins) -> tuple[complex, float]:
    """L in the middle of its range over the spins, and the largest distance from it [1/s]."""
    b0, r2 = range_of(spins.b0), range_of(spins.r2)
    return complex(-r2.middle, 2 * math.pi * b0.middle), math.hypot(r2.half, 2 * math.pi * b0.half)


def interpolation(readout: SpatialReadout, middle: complex, spread: float, rtol: float) -> Interpolation:
    """Nodes enough for an error of `rtol` of the magnetisation, for rates within `spread` of `middle` [1/s]."""
    half = float(np.abs(readout.times).max())
    count = 1
    while half > 0 and _bound(spread * half, count) > rtol:
        count += 1
    nodes = half * np.cos(np.pi * (np.arange(count) + 0.5) / count)
    weights = _lagrange(nodes, readout.times) * np.exp(middle * (readout.times[:, None] - nodes))
    return Interpolation(nodes, weights)


def _bound(turn: float, count: int) -> float:
    """Error of interpolating e^z, |z| <= turn, at `count` Chebyshev nodes."""
    return turn**count / math.factorial(count) / 2.0 ** (count - 1)


def _lagrange(nodes: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Lagrange polynomials through `nodes` at `times`, shape `(times, nodes)`."""
    polynomials = np.ones((times.size, nodes.size))
    for node in range(nodes.size):
        for other in range(nodes.size):
            if other != node:
                polynomials[:, node] *= (times - nodes[other]) / (nodes[node] - nodes[other])
    return polynomials


def moving_axes(readout: SpatialReadout, spins: Spins) -> tuple[bool, bool, bool]:
    """Along which of the axes z, y, x the phase of a spin depends on the sample."""
    widths = np.ptp(readout.moments, axis=0)
    z, y, x = (bool((axis.abs().amax(0).cpu().numpy() * widths).sum() > STILL) for axis in spins.axes)
    return z, y, x


def contract(values: Tensor, moments: Tensor, moving: tuple[bool, bool, bool], spins: Spins) -> Tensor:
    """Sums over the spins of `values` `(..., z, y, x)` with the phase of each sample, shape `(..., samples)`.

    moments: of each sample [cycles/m], shape `(samples, 3)`
    moving: along which axes they have a part, as of `moving_axes`
    """
    phases = [phase.to(values.dtype) for phase in spins.phases(moments)]
    still = [number - 3 for number in range(3) if not moving[number]]
    reduced = values.sum(dim=still) if still else values
    ordered = [phases[number] for number in range(3) if moving[number]]
    if not ordered:
        return reduced[..., None].expand(*reduced.shape, moments.shape[0])
    reduced = reduced @ ordered[-1]
    for phase in reversed(ordered[:-1]):
        reduced = (reduced * phase).sum(dim=-2)
    return reduced
