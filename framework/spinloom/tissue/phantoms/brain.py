"""A brain from the MNI152 template: fractions of tissue in each voxel, and from them M0, T1 and T2.

    M0 = sum f_i rho_i,   1 / T = sum f_i rho_i / T_i / M0

with f_i the share of tissue i in the voxel and rho_i its proton density: a voxel of several tissues has one T1 and one
T2, the initial slope of the sum of their signals.  Within white and grey matter the T1-weighted template varies T1
and T2 inside their published spread, shorter where it is brighter.  The fractions are means over the voxel, of samples
at most 1 mm apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.mni152 import mni152
from spinloom.tissue.phantoms.relaxation import Relaxation, Spread, relaxation
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

_TEXTURED = torch.tensor([1.0, 1.0, 0.0, 0.0])
"""Which tissues the contrast of the T1-weighted template varies."""


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


def brain(lattice: Lattice, view: View, field_t: float = 3.0, texture: float = 1.0) -> Phantom:
    """White matter, grey matter, CSF and, where the view has one, a lesion.

    field_t: whose relaxation times [T]
    texture: how much of the published spread the contrast within tissues takes, 0 to 1
    """
    person = subject(view.subject)
    slabs = [
        _relaxing(*tissue_fractions(lattice, view, planes), relaxation(field_t), person, texture)
        for planes in slabs_of(lattice)
    ]
    m0, t1, t2 = (torch.cat(parts) for parts in zip(*slabs, strict=True))
    return lattice.phantom("brain" if view.subject is None else f"brain of subject {view.subject}", m0, t1, t2)


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


def _relaxing(
    fractions: Tensor, contrast: Tensor, tissues: tuple[Relaxation, ...], person: Subject, texture: float
) -> tuple[Tensor, Tensor, Tensor]:
    """M0, T1 and T2."""
    weights = fractions * torch.tensor(person.density)[:, None, None, None]
    m0 = weights.sum(dim=0)
    t1 = _mixed(weights, m0, contrast, [tissue.t1 for tissue in tissues], person.t1, texture)
    t2 = _mixed(weights, m0, contrast, [tissue.t2 for tissue in tissues], person.t2, texture)
    return m0, t1, t2


def _mixed(
    weights: Tensor, m0: Tensor, contrast: Tensor, spreads: list[Spread], place: tuple[float, ...], texture: float
) -> Tensor:
    """The time whose rate is the weighted mean of the tissues' rates; 1 s where there is nothing."""
    rate = torch.zeros_like(m0)
    for weight, spread, where, textured in zip(weights, spreads, place, _TEXTURED.tolist(), strict=True):
        position = where - texture * textured * contrast
        rate += weight / _within(spread, position.clamp(-1, 1))
    return torch.where(m0 > 0, m0 / rate, 1.0)


def _within(spread: Spread, position: Tensor) -> Tensor:
    """From low at -1 through the value at 0 to high at 1."""
    down, up = spread.value - spread.low, spread.high - spread.value
    return spread.value + torch.where(position < 0, down * position, up * position)


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
