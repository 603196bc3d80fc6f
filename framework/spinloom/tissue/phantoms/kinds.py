"""What phantoms can be made by name, each a function of its options; the defaults are in `conf/phantom/NAME.yaml`."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spinloom.errors import TissueError
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.brain import brain
from spinloom.tissue.phantoms.brain_fractions import PLANES, Lesion, View
from spinloom.tissue.phantoms.brain_pools import brain_pools
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.options import Options
from spinloom.tissue.phantoms.shapes import Ranges, shapes
from spinloom.tissue.phantoms.shepp_logan import shepp_logan
from spinloom.tissue.phantoms.tubes import Liquid, tubes

_MM = 1e-3


def lattice(options: Options, dtype: torch.dtype) -> Lattice:
    """The lattice of `matrix`, `fov_mm` and `slice_mm`."""
    matrix, fov = options.counts("matrix"), options.positives("fov_mm")
    matrix = matrix * 2 if len(matrix) == 1 else matrix
    fov = fov * len(matrix) if len(fov) == 1 else fov
    if len(matrix) not in (2, 3) or len(fov) != len(matrix):
        raise TissueError(
            f"{options.source} has a matrix of {len(matrix)} and a field of view of {len(fov)} numbers; give two each "
            "for a plane (its thickness is slice_mm), or three each for a volume, or one fov_mm for all."
        )
    if len(matrix) == 2:
        matrix, fov = (*matrix, 1), (*fov, options.positive("slice_mm"))
    return Lattice((matrix[2], matrix[1], matrix[0]), (fov[0] * _MM, fov[1] * _MM, fov[2] * _MM), dtype)


def _brain(options: Options, dtype: torch.dtype) -> Phantom:
    return brain(
        lattice(options, dtype), _view(options), options.number("field_t"), options.number("texture", low=0, high=1)
    )


def _brain_pools(options: Options, dtype: torch.dtype) -> Phantom:
    return brain_pools(lattice(options, dtype), _view(options), str(options.values["tissues"]))


def _view(options: Options) -> View:
    right, front, top = options.numbers("at_mm", 3)
    radius = options.number("lesion_mm", low=0)
    x, y, z = options.numbers("lesion_at_mm", 3)
    return View(
        options.word("plane", PLANES),
        (right, front, top),
        options.count("subject") if options.given("subject") else None,
        Lesion(radius, (x, y, z)) if radius else None,
    )


def _tubes(options: Options, dtype: torch.dtype) -> Phantom:
    t1, t2 = options.positives("t1_s"), options.positives("t2_s")
    if len(t1) != len(t2):
        raise TissueError(f"{options.source} has {len(t1)} numbers in t1_s and {len(t2)} in t2_s; give one a tube.")
    m0 = options.number("m0", low=0)
    bath = Liquid(options.positive("bath_t1_s"), options.positive("bath_t2_s"), options.number("bath_m0", low=0))
    liquids = [Liquid(first, second, m0) for first, second in zip(t1, t2, strict=True)]
    radius, ring, bath_radius = (_MM * options.positive(f"{name}_mm") for name in ("tube", "ring", "bath"))
    return tubes(lattice(options, dtype), liquids, bath, radius, ring, bath_radius)


def _shepp_logan(options: Options, dtype: torch.dtype) -> Phantom:
    return shepp_logan(lattice(options, dtype))


def _shapes(options: Options, dtype: torch.dtype) -> Phantom:
    for key in ("t1_s", "t2_s"):
        options.positives(key)
    ranges = Ranges(options.interval("m0", low=0), options.interval("t1_s"), options.interval("t2_s"))
    roughness = options.number("texture", low=0, high=1)
    return shapes(lattice(options, dtype), options.count("shapes"), ranges, roughness, options.count("seed"))


KINDS: dict[str, Callable[[Options, torch.dtype], Phantom]] = {
    "brain": _brain,
    "brain_pools": _brain_pools,
    "shapes": _shapes,
    "shepp_logan": _shepp_logan,
    "tubes": _tubes,
}
