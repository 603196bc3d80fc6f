"""Solids that analytic phantoms are made of, and the painting of one over the other.

A voxel belongs to a solid where its centre does: it is of one material, and its boundary as sharp as the lattice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.tissue.phantoms.lattice import Lattice


@dataclass(frozen=True)
class Ellipsoid:
    """Where ((x', y', z') / radii)^2 <= 1 in its own axes; an infinite radius makes a cylinder.

    centre, radii: along x, y, z [m]
    angle: of its own x axis from x, counter-clockwise about z [rad]
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    angle: float = 0.0

    def holds(self, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Which places lie inside, boolean, of their broadcast shape."""
        across, along, up = _own(self, x, y, z)
        plane = (across / self.radii[0]).square() + (along / self.radii[1]).square()
        return plane + (up / self.radii[2]).square() <= 1


@dataclass(frozen=True)
class Box:
    """Where |x'|, |y'|, |z'| are at most `radii` in its own axes; fields as of `Ellipsoid`."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    angle: float = 0.0

    def holds(self, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Which places lie inside, boolean, of their broadcast shape."""
        across, along, up = _own(self, x, y, z)
        return (across.abs() <= self.radii[0]) & (along.abs() <= self.radii[1]) & (up.abs() <= self.radii[2])


Solid = Ellipsoid | Box


def paint(lattice: Lattice, solids: Sequence[Solid]) -> Tensor:
    """Number of the last of `solids` that holds each voxel, -1 where none does, int64, of the lattice's shape."""
    label = torch.full(lattice.shape, -1, dtype=torch.int64)
    places = lattice.places()
    for number, solid in enumerate(solids):
        label.masked_fill_(solid.holds(*places), number)
    return label


def fill(label: Tensor, values: Sequence[float], outside: float, dtype: torch.dtype) -> Tensor:
    """A map with the value of each voxel's solid, `outside` where there is none."""
    return torch.tensor([*values, outside], dtype=dtype)[label]


def _own(solid: Solid, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Places in the solid's own axes."""
    x, y, z = x - solid.centre[0], y - solid.centre[1], z - solid.centre[2]
    cosine, sine = math.cos(solid.angle), math.sin(solid.angle)
    return x * cosine + y * sine, y * cosine - x * sine, z
