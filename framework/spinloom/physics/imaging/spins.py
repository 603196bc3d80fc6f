"""A phantom as the engine plays it: isochromats on a grid whose places are sums of one vector an axis.

    r(iz, iy, ix) = Z[iz] + Y[iy] + X[ix]

so that the phase factor of any gradient moment is a product of three vectors, and a readout is sums along axes.  A
single plane has a thickness, in which its spins lie at several depths (`depths`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from spinloom.physics.imaging.depths import plane_depths
from spinloom.physics.imaging.empty_voxels import fill_numbers
from spinloom.physics.imaging.unspread import refuse_unspread_t2_prime
from spinloom.tissue.phantom import Phantom, centres


@dataclass(frozen=True, eq=False)
class Spins:
    """Isochromats on a grid of shape `(z, y, x)`.

    m0, r1, r2: equilibrium, and rates of relaxation [1/s]
    start: magnetisation along z before the first event
    b0, b1: frequency above Larmor [Hz], and transmit field relative to nominal
    coils: complex receive sensitivities, shape `(coils, z, y, x)`, or None for one coil that receives all alike
    axes: Z, Y and X [m], float64, shapes `(n, 3)`
    count: of all isochromats of the phantom, of which these may be a part
    """

    m0: Tensor
    start: Tensor
    r1: Tensor
    r2: Tensor
    b0: Tensor
    b1: Tensor
    coils: Tensor | None
    axes: tuple[Tensor, Tensor, Tensor]
    count: int

    @property
    def coil_count(self) -> int:
        """Number of coils that receive."""
        return 1 if self.coils is None else self.coils.shape[0]

    @property
    def differentiable(self) -> bool:
        """Whether gradients with respect to a map are asked for."""
        maps = (self.m0, self.start, self.r1, self.r2, self.b0, self.b1, self.coils)
        return torch.is_grad_enabled() and any(values is not None and values.requires_grad for values in maps)

    def parts(self, most: int) -> Iterator[Spins]:
        """The spins in slabs of planes or bands of rows, of about `most` spins each."""
        planes, rows, columns = self.m0.shape
        plane_step = max(1, most // (rows * columns))
        row_step = rows if plane_step > 1 or most >= rows * columns else max(1, most // columns)
        for first in range(0, planes, plane_step):
            for row in range(0, rows, row_step):
                yield self._part(slice(first, first + plane_step), slice(row, row + row_step))

    def _part(self, planes: slice, rows: slice) -> Spins:
        def cut(values: Tensor) -> Tensor:
            return values[..., planes, rows, :]

        z, y, x = self.axes
        maps: dict[str, Any] = {name: cut(getattr(self, name)) for name in ("m0", "start", "r1", "r2", "b0", "b1")}
        return replace(
            self,
            **maps,
            coils=None if self.coils is None else cut(self.coils),
            axes=(z[planes], y[rows], x),
        )

    def phases(self, moment: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Complex factors of the gradient moment(s) `(..., 3)` along z, y and x, shapes `(n, ...)`, in float64."""
        return tuple(_turn(axis @ moment.reshape(-1, 3).T).reshape(-1, *moment.shape[:-1]) for axis in self.axes)  # type: ignore[return-value]


def _turn(cycles: Tensor) -> Tensor:
    return torch.polar(torch.ones_like(cycles), 2 * torch.pi * cycles)


def spins_of(
    phantom: Phantom,
    dephasing: bool = True,
    start: Tensor | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | None = None,
) -> Spins:
    """The isochromats of a phantom, one a voxel; empty voxels get the mean numbers of the others, within their range.

    dephasing: whether the spins of a single plane spread over its thickness; else they lie in its middle
    start: magnetisation along z before the first event, None for equilibrium
    dtype, device: of the isochromats; None takes the phantom's

    Raises `RequirementError` for T2' that is not spread over the spins of each voxel.
    """
    refuse_unspread_t2_prime(phantom)
    kind, where = dtype or phantom.m0.dtype, device or phantom.m0.device
    m0, t1, t2, b0, b1 = (
        values.to(where, kind) for values in (phantom.m0, phantom.t1, phantom.t2, phantom.b0, phantom.b1)
    )
    r1, r2, b0, b1 = _filled(m0, t1, t2, b0, b1)
    return Spins(
        m0=m0,
        start=m0 if start is None else start.to(m0),
        r1=r1,
        r2=r2,
        b0=b0,
        b1=b1,
        coils=None if phantom.coils is None else phantom.coils.to(where, kind.to_complex()),
        axes=_axes(phantom, dephasing, where),
        count=phantom.voxels,
    )


def _filled(m0: Tensor, *maps: Tensor) -> list[Tensor]:
    """1/T1, 1/T2, b0 and B1+ (`maps`: T1, T2, b0, B1+), with the mean of each where there is no magnetisation."""
    if m0.device.type == "cpu" and not any(values.requires_grad for values in maps):
        found = [torch.empty_like(m0, memory_format=torch.contiguous_format) for _ in maps]
        arrays = [values.detach().contiguous().numpy().reshape(-1) for values in (m0, *maps, *found)]
        fill_numbers(*arrays)
        return found
    present = m0 > 0
    filled = present if bool(present.any()) else torch.ones_like(present)
    t1, t2, b0, b1 = (torch.where(filled, values, values.detach()[filled].mean()) for values in maps)
    return [1 / t1, 1 / t2, b0, b1]


def _axes(phantom: Phantom, dephasing: bool, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    vectors = []
    for column in (2, 1, 0):
        places = centres(phantom.shape[2 - column], phantom.voxel[column], torch.float64) + phantom.centre[column]
        vectors.append(torch.zeros(places.numel(), 3, dtype=torch.float64, device=device))
        vectors[-1][:, column] = places.to(device)
    z, y, x = vectors
    if dephasing and phantom.shape[0] == 1:
        across, down = plane_depths(x.shape[0], y.shape[0], phantom.fov[2], device)
        x[:, 2] += across
        y[:, 2] += down
    return z, y, x
