"""The lattice of voxels that a phantom is drawn on: how many, over which field of view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.tissue.phantom import Phantom, centres


@dataclass(frozen=True)
class Lattice:
    """A grid of voxels, number `n // 2` of each axis at the origin.

    shape: voxels along z, y, x; one plane makes a 2-D phantom
    fov: extent along x, y, z [m]
    dtype: of the maps that are drawn on it
    """

    shape: tuple[int, int, int]
    fov: tuple[float, float, float]
    dtype: torch.dtype = torch.float64

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Size of a voxel along x, y, z [m]."""
        planes, rows, columns = self.shape
        return self.fov[0] / columns, self.fov[1] / rows, self.fov[2] / planes

    def places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Centres of the voxels along x, y, z [m], shapes `(1, 1, nx)`, `(1, ny, 1)`, `(nz, 1, 1)`."""
        z, y, x = (
            centres(count, spacing, self.dtype)
            for count, spacing in zip(self.shape, reversed(self.spacing), strict=True)
        )
        return x[None, None, :], y[None, :, None], z[:, None, None]

    def phantom(self, name: str, m0: Tensor, t1: Tensor, t2: Tensor) -> Phantom:
        """Maps of this shape as a phantom on resonance and with the nominal transmit field."""
        m0, t1, t2 = (values.to(self.dtype) for values in (m0, t1, t2))
        return Phantom(name, self.fov, m0, t1, t2, b0=torch.zeros_like(m0), b1=torch.ones_like(m0))
