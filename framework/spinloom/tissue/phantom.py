"""A phantom: maps of spins on a regular grid, with the field of view that the grid fills.

Arrays are ordered `[z, y, x]`, x fastest; a 2-D phantom is one plane of finite thickness.  Voxel `n // 2` of an axis of
n voxels is centred at the origin of the gradients, unless `centre` moves it (docs/conventions.md).  Magnetisation is
relative to M0 of 1, and what a simulator returns is the mean over the field of view, so that it does not depend on how
finely the grid is divided.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from spinloom.tissue.phantom_checks import check_phantom
from spinloom.tissue.pools import Tissue

AXES = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class PoolMap:
    """Which tissue of a batch fills each voxel.

    tissue: batch of shape `(tissues,)`; field shift and B1 of a voxel come from the phantom, not from here
    index: into the batch, -1 where there is none, int64, shape `(z, y, x)`
    names: of the tissues of the batch, for figures; may be left out
    """

    tissue: Tissue
    index: Tensor
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Phantom:
    """Maps on a grid of voxels; all of them share the shape `(z, y, x)`, dtype and device.

    fov: extent along x, y, z [m]
    m0: equilibrium magnetisation, not negative; 0 where there is nothing
    t1, t2: [s], positive where m0 is
    b0: deviation of the static field [Hz]; a positive one raises the frequency
    b1: transmit field relative to nominal
    coils: receive sensitivities, complex, shape `(coils, z, y, x)`; None is one coil that receives all alike
    t2_prime: decay time of dephasing within a voxel [s], `inf` where there is none; None is none anywhere
    pools: tissue of each voxel, for saturation transfer; None where the phantom is water alone
    centre: shift of the whole grid along x, y, z [m]
    """

    name: str
    fov: tuple[float, float, float]
    m0: Tensor
    t1: Tensor
    t2: Tensor
    b0: Tensor
    b1: Tensor
    coils: Tensor | None = None
    t2_prime: Tensor | None = None
    pools: PoolMap | None = None
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        check_phantom(self)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y and x."""
        planes, rows, columns = self.m0.shape
        return planes, rows, columns

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Size of a voxel along x, y and z [m]."""
        x, y, z = (extent / count for extent, count in zip(self.fov, reversed(self.shape), strict=True))
        return x, y, z

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return self.m0.numel()

    def positions(self, axis: str) -> Tensor:
        """Centres of the voxels along `axis` (`x`, `y` or `z`) [m], shape `(voxels of the axis,)`."""
        number = AXES.index(axis)
        steps = centres(self.shape[2 - number], self.voxel[number], self.m0.dtype)
        return steps.to(self.m0.device) + self.centre[number]

    def to(self, dtype: torch.dtype, device: torch.device) -> Phantom:
        """The phantom with its maps in a real `dtype` (coils in the complex one of that size) on `device`."""
        changes: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                changes[field.name] = value.to(dtype.to_complex() if value.is_complex() else dtype).to(device)
        if self.pools is not None:
            tissue, index = self.pools.tissue.to(dtype, device), self.pools.index.to(device)
            changes["pools"] = replace(self.pools, tissue=tissue, index=index)
        return replace(self, **changes)


def centres(count: int, spacing: float, dtype: torch.dtype) -> Tensor:
    """Centres of `count` voxels in a row, number `count // 2` at 0, shape `(count,)`."""
    return (torch.arange(count, dtype=dtype) - count // 2) * spacing
