"""Smooth functions of a few numbers of a spin, interpolated by Chebyshev polynomials on the box that the spins fill.

    f(v) = sum over k of c_k1..kd T_k1(u1) .. T_kd(ud),   u = (2 v - low - high) / (high - low)

The functions here are entire (solutions of linear equations whose matrix is linear in v), so that coefficients fall
faster than any power once there is a node for each turn.  How many each number needs is read off the coefficients along
lines through the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

FEWEST_NODES, MOST_NODES = 6, 1536
"""Nodes a number with which the search for enough of them begins and gives up."""

AT_ONCE = 16_384
"""Spins interpolated at once, so that their partial sums stay near the cache."""


@dataclass(frozen=True, eq=False)
class Table:
    """Coefficients of an interpolation.

    low, high: corners of the box, shape `(numbers,)`
    coefficients: shape `(nodes of each number..., outputs)`
    """

    low: Tensor
    high: Tensor
    coefficients: Tensor

    def __call__(self, numbers: Tensor) -> Tensor:
        """Outputs at `numbers` `(numbers, spins)`, shape `(spins, outputs)`; differentiable."""
        return torch.cat([self._at(part) for part in numbers.split(AT_ONCE, dim=1)])

    def _at(self, numbers: Tensor) -> Tensor:
        width = torch.where(self.high > self.low, self.high - self.low, torch.ones_like(self.low))
        scaled = (2 * numbers - (self.low + self.high)[:, None]) / width[:, None]
        counts = self.coefficients.shape[:-1]
        first = polynomials(scaled[0], counts[0])
        values = first @ self.coefficients.reshape(counts[0], -1)
        for number in range(1, len(counts)):
            basis = polynomials(scaled[number], counts[number])
            values = (basis[:, :, None] * values.reshape(values.shape[0], counts[number], -1)).sum(1)
        return values


def polynomials(u: Tensor, count: int) -> Tensor:
    """T_0 .. T_{count - 1} at `u` `(points,)`, shape `(points, count)`."""
    found = [torch.ones_like(u), u][:count]
    for _ in range(2, count):
        found.append(2 * u * found[-1] - found[-2])
    return torch.stack(found, dim=1)


def nodes(count: int, like: Tensor) -> Tensor:
    """Chebyshev nodes in (-1, 1), shape `(count,)`."""
    return torch.cos(torch.pi * (torch.arange(count, dtype=like.dtype, device=like.device) + 0.5) / count)


def transform(count: int, like: Tensor) -> Tensor:
    """Matrix that turns values at the nodes into coefficients, shape `(count, count)`."""
    basis = polynomials(nodes(count, like), count)
    weights = torch.full((count,), 2 / count, dtype=like.dtype, device=like.device)
    weights[0] = 1 / count
    return weights[:, None] * basis.T


def fitted(function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, tolerance: float) -> Table:
    """Interpolation of `function` over a box to an error of `tolerance`.

    function: of points `(numbers, points)`, returns `(points, outputs)`; itself not differentiated
    low, high: corners of the box, shape `(numbers,)`
    """
    with torch.no_grad():
        counts = [_nodes_needed(function, low, high, axis, tolerance / low.numel()) for axis in range(low.numel())]
        places = [
            nodes(count, low) if count > 1 else torch.zeros(1, dtype=low.dtype, device=low.device) for count in counts
        ]
        points = torch.stack([grid.reshape(-1) for grid in torch.meshgrid(*places, indexing="ij")])
        coefficients = function(_unscaled(points, low, high)).reshape(*counts, -1)
        for axis, count in enumerate(counts):
            if count > 1:
                coefficients = torch.movedim(
                    torch.tensordot(transform(count, low), coefficients, dims=([1], [axis])), 0, axis
                )
    return Table(low, high, coefficients)


def _unscaled(points: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return (low + high)[:, None] / 2 + points * (high - low)[:, None] / 2


def _nodes_needed(function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, axis: int, tolerance: float) -> int:
    """Nodes along one number, from the coefficients along the line through the middle and two corners of the box."""
    if not bool(high[axis] > low[axis]):
        return 1
    count = FEWEST_NODES
    while True:
        along = nodes(count, low)
        lines = []
        for others in (-1.0, 0.0, 1.0):
            points = torch.full((low.numel(), count), others, dtype=low.dtype, device=low.device)
            points[axis] = along
            lines.append(function(_unscaled(points, low, high)))
        coefficients = (transform(count, low) @ torch.stack(lines)).abs().amax(dim=(0, 2))
        tails = torch.flip(torch.cumsum(torch.flip(coefficients, [0]), 0), [0])
        enough = int((tails > tolerance).sum())
        if enough < count - 2 or count >= MOST_NODES:
            return max(enough + 1, 2)
        count *= 2
