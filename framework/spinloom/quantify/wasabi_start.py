"""Where the WASABI fit begins: a dictionary over B0, B1 and the depth d / c, matched by inner product.

    |Z| ~ c |1 - (d / c) s(B0, B1)|,   s the pattern of one entry

c drops out when curves and entries are normalised, so that the match of all voxels is one matrix product.  The pattern
nearly repeats where B0 moves by the distance of two of its fringes, so the best entry may lie in the wrong one of two
valleys: several entries are returned, each the best of its own range of B0.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

REL_B1 = (0.2, 2.0, 46)
"""Relative B1 of the dictionary: from, to, and how many."""

B0_SHIFTS = 81
"""The dictionary holds so many B0 shifts, over all measured offsets."""

DEPTHS = (1.4, 1.7, 2.0)
"""d / c of the dictionary: 2 is full inversion, less is what relaxation leaves of it."""

RANGES = 9
"""The dictionary's B0 shifts fall into so many ranges, each narrower than a fringe."""

CANDIDATES = 3
"""So many ranges are worth a closer look."""

NUMBERS_IN_FLIGHT = 16_000_000
"""Inner products held at a time: 64 MB."""


def coarse_matches(offsets: Tensor, magnitude: Tensor, pattern: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """B0 shift [ppm], relative B1, c and d of the best entries, best first, shape `(*batch, CANDIDATES, 4)`.

    offsets: shape `(measurements,)`
    magnitude: |Z|, shape `(*batch, measurements)`; rows that are not finite give rows that mean nothing
    pattern: from B0 shifts and relative B1 of shape `(entries, 1)` to shape `(entries, measurements)`
    """
    b0, b1, depth = _grid(offsets)
    entries = (1 - depth[:, None] * pattern(b0[:, None], b1[:, None])).abs()
    length = entries.norm(dim=-1)
    unit = (entries / length[:, None]).float().T
    curves = magnitude.reshape(-1, offsets.numel())
    parts = curves.float().split(max(1, NUMBERS_IN_FLIGHT // b0.numel()))
    best = torch.cat([_best_of_ranges(part @ unit) for part in parts])
    c = (curves[:, None] * entries[best]).sum(dim=-1) / length[best] ** 2
    found = torch.stack([b0[best], b1[best], c, c * depth[best]], dim=-1)
    return found.reshape(*magnitude.shape[:-1], CANDIDATES, 4)


def _best_of_ranges(products: Tensor) -> Tensor:
    """Number of the best entry of each of the best ranges, shape `(voxels, CANDIDATES)`."""
    ranges = products.reshape(products.shape[0], RANGES, -1)
    value, place = ranges.max(dim=-1)
    chosen = value.topk(CANDIDATES, dim=-1).indices
    return place.gather(1, chosen) + chosen * ranges.shape[-1]


def _grid(offsets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The entries' B0 shifts, slowest, relative B1 and depths."""
    shifts = torch.linspace(float(offsets.min()), float(offsets.max()), B0_SHIFTS, dtype=offsets.dtype)
    scales = torch.linspace(*REL_B1, dtype=offsets.dtype)
    grid = torch.meshgrid(shifts, scales, torch.tensor(DEPTHS, dtype=offsets.dtype), indexing="ij")
    b0, b1, depth = (axis.flatten().to(offsets.device) for axis in grid)
    return b0, b1, depth
