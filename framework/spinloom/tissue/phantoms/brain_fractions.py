"""Which tissues fill each voxel of a view of the brain: means over the voxel, of samples of the template 1 mm apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d

from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.mni152 import mni152
from spinloom.tissue.phantoms.subject import Subject, subject

PLANES = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
}
"""Directions of the phantom's x, y and z in MNI coordinates: right, front, top."""

_EDGE_MM = 2.0
"""Width of a lesion's border."""

_EMPTY = 0.01
"""Voxels with less tissue than this hold nothing."""

_POINTS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Lesion:
    """A ball of another tissue: radius, and its place from the middle of the field of view along x, y, z [mm]."""

    radius_mm: float
    at_mm: tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """What of whose brain fills the field of view.

    plane: of `PLANES`, the orientation of x and y
    at_mm: MNI coordinates of the middle of the field of view
    subject: number of another subject, None for the template itself
    """

    plane: str
    at_mm: tuple[float, float, float]
    subject: int | None = None
    lesion: Lesion | None = None


def tissue_fractions(lattice: Lattice, view: View, planes: slice = slice(None)) -> tuple[Tensor, Tensor]:
    """Share of each voxel that each of `relaxation.TISSUES` fills, and the contrast within tissues in -1..1.

    planes: which of the lattice's, all by default

    Float32, shapes `(tissues, z, y, x)` and `(z, y, x)`.  The shares sum to 1 inside the brain, to less at its border
    and to 0 outside.
    """
    channels = _sampled(lattice, view, subject(view.subject), planes)
    total = channels[:3].sum(dim=0)
    keep = total > _EMPTY
    lesion = _lesion(lattice, view.lesion, planes)
    return torch.cat([channels[:3] * (keep * (1 - lesion)), (lesion * total * keep)[None]]), channels[3]


def slabs_of(lattice: Lattice) -> list[slice]:
    """Planes to take at once, so that memory stays bounded."""
    planes, rows, columns = lattice.shape
    x, y, z = _samples(lattice)
    step = max(1, _POINTS_AT_ONCE // (rows * y * columns * x * z))
    return [slice(first, min(planes, first + step)) for first in range(0, planes, step)]


def _samples(lattice: Lattice) -> tuple[int, int, int]:
    """Samples of the template in a voxel along x, y, z."""
    x, y, z = (max(1, math.ceil(1e3 * size - 1e-6)) for size in lattice.spacing)
    return x, y, z


def _sampled(lattice: Lattice, view: View, person: Subject, planes: slice) -> Tensor:
    """Channels of the template, means over each voxel of some planes, shape `(4, planes, y, x)`."""
    samples = _samples(lattice)
    across, along, up = (1e3 * place.flatten().float() for place in lattice.places())
    x, y, z = (
        _spread(places, 1e3 * size, count)
        for places, size, count in zip((across, along, up[planes]), lattice.spacing, samples, strict=True)
    )
    directions = torch.tensor(PLANES[view.plane], dtype=torch.float32)
    places = torch.tensor(view.at_mm) + x[:, None] * directions[0]
    places = places + (y[:, None] * directions[1])[:, None, :] + (z[:, None] * directions[2])[:, None, None, :]
    channels = mni152().sample(person.template_places(places))
    return avg_pool3d(channels[None], kernel_size=tuple(reversed(samples)))[0]


def _spread(places: Tensor, size: float, count: int) -> Tensor:
    """`count` evenly spaced places in each voxel."""
    inside = (torch.arange(count) + 0.5) / count - 0.5
    return (places[:, None] + size * inside).flatten()


def _lesion(lattice: Lattice, lesion: Lesion | None, planes: slice) -> Tensor:
    """Share of each voxel's tissue that the lesion replaces."""
    x, y, z = lattice.places()
    if lesion is None:
        return torch.zeros((z[planes] + y + x).shape)
    x, y, z = (1e3 * place - shift for place, shift in zip((x, y, z[planes]), lesion.at_mm, strict=True))
    distance = (x.square() + y.square() + z.square()).sqrt().float()
    return ((lesion.radius_mm - distance) / _EDGE_MM + 0.5).clamp(0, 1)
