"""Smooth functions of a few numbers of a spin, interpolated by Chebyshev polynomials on the box that the spins fill.

    f(v) = sum over k of c_k1..kd T_k1(u1) .. T_kd(ud),   u = (2 v - low - high) / (high - low)

The functions here are entire (solutions of linear equations whose matrix is linear in v), so that coefficients fall
faster than any power once there is a node for each turn.  How many each number needs is read off the coefficients along
lines through the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

FEWEST_NODES, MOST_NODES = 6, 1536
"""Nodes a number with which the search for enough of them begins and gives up."""


@dataclass(frozen=True, eq=False)
class Table:
    """Coefficients of an interpolation.

    low, high: corners of the box, shape `(numbers,)`
    coefficients: shape `(nodes of each number..., outputs)`
    """

    low: Tensor
    high: Tensor
    coefficients: Tensor


def nodes(count: int) -> np.ndarray:
    """Chebyshev nodes in (-1, 1), shape `(count,)`; one alone lies in the middle."""
    found: np.ndarray = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return found


@lru_cache(maxsize=64)
def transform(count: int) -> np.ndarray:
    """Matrix that turns values at the nodes into coefficients, shape `(count, count)`."""
    angles = np.pi * (np.arange(count) + 0.5) / count
    matrix: np.ndarray = np.cos(np.arange(count)[:, None] * angles) * 2 / count
    matrix[0] /= 2
    return matrix


Function = Callable[[np.ndarray], np.ndarray]


def fitted(function: Function, low: np.ndarray, high: np.ndarray, tolerance: float, device: torch.device) -> Table:
    """Interpolation of `function` over a box to an error of `tolerance`, for numbers on `device`.

    function: of points `(numbers, points)`, returns `(outputs, points)`
    low, high: corners of the box, shape `(numbers,)`
    """
    counts = [_nodes_needed(function, low, high, axis, tolerance / low.size) for axis in range(low.size)]
    points = np.stack([grid.reshape(-1) for grid in np.meshgrid(*map(nodes, counts), indexing="ij")])
    coefficients = function(_unscaled(points, low, high)).T.reshape(*counts, -1)
    found = torch.from_numpy(coefficients)
    for axis, count in enumerate(counts):
        matrix = torch.from_numpy(transform(count))
        found = torch.movedim(torch.tensordot(matrix, found, dims=([1], [axis])), 0, axis) if count > 1 else found
    return Table(*(values.to(device) for values in (torch.from_numpy(low), torch.from_numpy(high), found.contiguous())))


def _unscaled(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    found: np.ndarray = (low + high)[:, None] / 2 + points * (high - low)[:, None] / 2
    return found


def _nodes_needed(function: Function, low: np.ndarray, high: np.ndarray, axis: int, tolerance: float) -> int:
    """Nodes along one number, from the coefficients along the line through the middle and two corners of the box."""
    if not high[axis] > low[axis]:
        return 1
    count = FEWEST_NODES
    while True:
        points = np.repeat([[-1.0, 0.0, 1.0]], low.size, axis=0)[:, :, None] * np.ones(count)
        points[axis] = nodes(count)
        lines = function(_unscaled(points.reshape(low.size, -1), low, high)).reshape(-1, count)
        coefficients = np.abs(lines @ transform(count).T).max(axis=0)
        tails = np.cumsum(coefficients[::-1])[::-1]
        enough = int((tails > tolerance).sum())
        if enough < count - 2 or count >= MOST_NODES:
            return max(enough + 1, 2)
        count *= 2
