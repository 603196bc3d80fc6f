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

from spinloom.errors import TissueError
from spinloom.tissue.pools import Tissue

AXES = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class PoolMap:
    """Which tissue of a batch fills each voxel.

    tissue: batch of shape `(tissues,)`; field shift and B1 of a voxel come from the phantom, not from here
    index: into the batch, -1 where there is none, int64, shape `(z, y, x)`
    """

    tissue: Tissue
    index: Tensor


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
        _check_extent(self)
        _check_shapes(self)
        _check_values(self)

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
        count = self.shape[2 - number]
        steps = torch.arange(count, dtype=self.m0.dtype, device=self.m0.device) - count // 2
        return steps * self.voxel[number] + self.centre[number]

    def to(self, dtype: torch.dtype, device: torch.device) -> Phantom:
        """The phantom with its maps in a real `dtype` (coils in the complex one of that size) on `device`."""
        changes: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                changes[field.name] = value.to(dtype.to_complex() if value.is_complex() else dtype).to(device)
        return replace(self, **changes)


def _check_extent(phantom: Phantom) -> None:
    if len(phantom.fov) != 3 or not all(0 < extent < float("inf") for extent in phantom.fov):
        raise TissueError(
            f"Phantom '{phantom.name}' has the field of view {phantom.fov}; it is three positive lengths in metres, "
            "along x, y and z (the thickness, for a single plane)."
        )


def _maps(phantom: Phantom) -> dict[str, Tensor]:
    named = {name: getattr(phantom, name) for name in ("m0", "t1", "t2", "b0", "b1", "t2_prime")}
    return {name: value for name, value in named.items() if value is not None}


def _check_shapes(phantom: Phantom) -> None:
    expected = phantom.m0.shape
    if len(expected) != 3 or phantom.m0.numel() == 0:
        raise TissueError(f"Map m0 of phantom '{phantom.name}' has the shape {tuple(expected)}; it is (z, y, x).")
    found = {name: value.shape for name, value in _maps(phantom).items()}
    if phantom.coils is not None:
        found["coils (after its first axis)"] = phantom.coils.shape[1:]
    if phantom.pools is not None:
        found["the pools' index"] = phantom.pools.index.shape
    for name, shape in found.items():
        if shape != expected:
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' has the shape {tuple(shape)}, but m0 has {tuple(expected)}; "
                "all maps lie on one grid."
            )


def _check_values(phantom: Phantom) -> None:
    inside = phantom.m0 > 0
    for name, value in _maps(phantom).items():
        allowed = torch.isfinite(value) | (value == float("inf") if name == "t2_prime" else torch.zeros_like(inside))
        if not bool(allowed.all()):
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' holds {int((~allowed).sum())} voxels that are not finite; "
                "fill them, or set M0 to 0 there and give them any number."
            )
    if bool((phantom.m0 < 0).any()):
        raise TissueError(f"Map m0 of phantom '{phantom.name}' is negative in {int((phantom.m0 < 0).sum())} voxels.")
    for name in ("t1", "t2", "t2_prime"):
        value = getattr(phantom, name)
        if value is not None and bool((value[inside] <= 0).any()):
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' is not positive in {int((value[inside] <= 0).sum())} voxels "
                "where there is magnetisation; relaxation times are positive seconds."
            )
