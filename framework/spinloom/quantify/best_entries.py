"""The best entry of each voxel while a dictionary passes by, block after block of inner products in single precision.

Single precision finds which entries can be the best; which of them it is, is decided in double precision, so that the
blocks do not matter and an entry that is in the dictionary is found.  The product of two vectors of length K in
arithmetic of unit roundoff u, rounded to it before, errs by at most about (K + 2) u |a| |b|
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
"""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDOFF = torch.finfo(torch.float32).eps / 2

SAME = 1e-15
"""Inner products of unit vectors that differ by no more are equal: rounding of double precision."""


class BestEntries:
    """Index, numbers and signal of the best entry so far of each voxel.

    probes: what entries are multiplied with, float64, shape `(voxels, rank)`
    numbers, measurements: how many an entry has
    """

    def __init__(self, probes: Tensor, numbers: int, measurements: int) -> None:
        voxels = probes.shape[0]
        self._probes = probes
        self._lengths = probes.norm(dim=1)
        self.score = torch.full((voxels,), -torch.inf, dtype=torch.float64)
        self.index = torch.full((voxels,), -1)
        self.numbers = torch.full((voxels, numbers), torch.nan, dtype=torch.float64)
        self.signals = torch.zeros(voxels, measurements, dtype=torch.float64)

    def meet(self, rows: slice, products: Tensor, atoms: Tensor, longest: float, first: int) -> None:
        """Compare voxels `rows` with a block of entries.

        products: in single precision, shape `(voxels of the block, entries of the block)`
        atoms: the entries, float64, shape `(entries of the block, rank)`; the length of none exceeds `longest`
        first: index of the first of them
        """
        error = (atoms.shape[1] + 2) * ROUNDOFF * longest * self._lengths[rows]
        least = torch.maximum(products.amax(dim=1).double() - 2 * error, self.score[rows] - error)
        near = (products.amax(dim=1) >= least).nonzero()[:, 0]
        row, entry = (products[near] >= least[near, None]).nonzero(as_tuple=True)
        voxel = rows.start + near
        exact = (self._probes[voxel[row]] * atoms[entry]).sum(dim=1)
        best = torch.full_like(least[near], -torch.inf).scatter_reduce(0, row, exact, "amax")
        tied = exact >= best[row] - SAME
        place = torch.full_like(near, atoms.shape[0]).scatter_reduce(0, row[tied], entry[tied], "amin")
        better = best > self.score[voxel] + SAME
        self.score[voxel[better]] = best[better]
        self.index[voxel[better]] = first + place[better]

    def keep(self, numbers: Tensor, signals: Tensor, first: int) -> None:
        """Copy what the entries of a part that are now the best hold.

        numbers, signals: of the part, shapes `(entries, numbers)` and `(entries, measurements)`
        first: index of its first entry
        """
        new = (self.index >= first).nonzero()[:, 0]
        place = self.index[new] - first
        self.numbers[new] = numbers[place]
        self.signals[new] = signals[place].double()
