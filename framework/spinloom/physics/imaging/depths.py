"""How deep the spins of a single plane lie in its thickness T, so that moments through it dephase below the voxel.

    z(column, row) = T/(g h) ((a column mod g) - (g - 1)/2) + T/h ((b row mod h) - (h - 1)/2),   g = 9, h = 7

g h = 63 depths, even over T, each the sum of one of its column and one of its row, which leaves the phases of a grid
products.  What c cycles through the plane should dephase is to the grid a moment in the plane: c b/h of what the grid
repeats along y, and of c = h n also n a/g of that along x.  It is gone where that lies beside the samples.  So a and b
are almost g/2 and h/2, and g and h share no factor, that only multiples of both rephase.  No depths hide all crushers:
each pathway has a moment of its own, and all of them must lie beside an image that fills a part of what the grid holds.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

COLUMNS, ROWS = 9, 7
"""Spins along x, and along y, until depths repeat."""


def groups(columns: int, rows: int) -> tuple[int, int]:
    """After how many spins along x and along y depths repeat, on a grid of so many."""
    return min(COLUMNS, columns), min(ROWS, rows)


def stride(group: int) -> int:
    """Depths from one neighbour to the next: the largest number up to half of `group` that shares no factor with it."""
    return next(number for number in range(max(1, group // 2), 0, -1) if math.gcd(number, group) == 1)


def plane_depths(columns: int, rows: int, thickness: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """What columns and rows of a plane of `thickness` [m] add to the depth of their spins [m], float64."""
    across, down = groups(columns, rows)
    return _depths(columns, across, thickness / (across * down), device), _depths(rows, down, thickness / down, device)


def _depths(count: int, group: int, spacing: float, device: torch.device) -> Tensor:
    place = torch.arange(count, dtype=torch.float64, device=device) * stride(group) % group
    return spacing * (place - (group - 1) / 2)
