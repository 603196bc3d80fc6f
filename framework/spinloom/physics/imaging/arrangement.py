"""Isochromats as the fast engine takes them: maps by rows and columns, columns along the axis of the lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from spinloom.physics.imaging.registers import ROWS, lanes_of
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.imaging.tile import Maps


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Maps of isochromats, and places [m] of their rows and columns, whose sum is where an isochromat lies.

    rows, columns: float64, shapes `(rows, 3)` and `(columns, 3)`; both filled up, rows to whole blocks and columns to
        whole registers, with isochromats that have no magnetisation
    height, width: rows and columns without those filled up
    """

    maps: Maps
    rows: np.ndarray
    columns: np.ndarray
    height: int
    width: int


def arrange(spins: Spins, axis: int) -> Arrangement:
    """The isochromats with `axis` (0, 1, 2 for z, y, x) as columns."""
    dtype = np.dtype(str(spins.m0.dtype).removeprefix("torch."))
    width, height = spins.m0.shape[axis], spins.m0.numel() // spins.m0.shape[axis]
    right, below = -width % lanes_of(dtype), -height % ROWS

    def arranged(values: Tensor, empty: bool = False) -> np.ndarray:
        moved = values.detach().movedim(axis - 3, -1)
        flat = moved.reshape(*values.shape[:-3], height, width)
        if right or below:
            flat = pad(flat, (0, right, 0, below), value=0.0 if empty else float(flat.flatten()[0]))
        array: np.ndarray = flat.contiguous().numpy()
        return array

    m0 = arranged(spins.m0, empty=True)
    start = m0 if spins.start is spins.m0 else arranged(spins.start, empty=True)
    coils = np.zeros((0, 1, 1), dtype=dtype)
    if spins.coils is not None:
        coils = arranged(torch.stack([spins.coils.real, spins.coils.imag], dim=1).flatten(0, 1))
    first, second = (spins.axes[other].numpy() for other in range(3) if other != axis)
    return Arrangement(
        maps=Maps._make((m0, start, *map(arranged, (spins.r1, spins.r2, spins.b0, spins.b1)), coils)),
        rows=_filled((first[:, None] + second).reshape(-1, 3), below),
        columns=_filled(spins.axes[axis].numpy(), right),
        height=height,
        width=width,
    )


def _filled(places: np.ndarray, more: int) -> np.ndarray:
    return np.concatenate([places, np.repeat(places[-1:], more, axis=0)])
