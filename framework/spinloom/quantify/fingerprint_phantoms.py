"""Digital phantoms of fingerprinting: maps of the numbers that a dictionary varies, known in every voxel.

`larginine_vials`: three vials of 50 mM L-arginine at pH 5, 5.5 and 6, which differ in exchange rate.  Base catalysis
makes rates grow tenfold a unit of pH; 130, 410 and 1300 /s are chosen here, inside the dictionary of Nagar et al. 2023,
doi:10.1038/s41598-023-45548-8.

`brain_mt`: a slice of brain with maps of the semisolid fraction and rate.  Shape and shares of white and grey matter
are those of the MNI152 brain; their numbers, chosen here inside that paper's dictionary of the mouse, mix by share
and vary smoothly by 10 %.  Voxels with less than half of white and grey matter are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import TissueError, known_names
from spinloom.physics.engine import solve_pools
from spinloom.quantify.maps import Grid
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.batches import TissuePlan
from spinloom.tissue.files import load_mapping
from spinloom.tissue.phantoms.brain_fractions import View, tissue_fractions
from spinloom.tissue.phantoms.field_maps import field_map
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.solids import Ellipsoid, paint

_FOV, _SLICE = 0.02, 0.001
"""Of the vials [m], as a preclinical scanner has them."""

_VIAL, _RING = 0.0035, 0.005
"""Radius of a vial, and of the circle on which their centres lie [m]."""

_RATES = (130.0, 410.0, 1300.0)

_BRAIN_FOV, _BRAIN_SLICE, _AT_MM = 0.22, 0.005, (0.0, -17.0, 14.0)

_WHITE_GREY = {
    "water_pool.t1": (1.6, 2.0),
    "water_pool.t2": (0.055, 0.08),
    "mt_pool.f": (14 / 110, 7 / 110),
    "mt_pool.k": (30.0, 50.0),
}
"""Of white and of grey matter: [s], [s], relative to water, [1/s]."""


@dataclass(frozen=True, eq=False)
class FingerprintPhantom:
    """Voxels of known tissue.

    tissue, sequence: names of the shipped tissue whose numbers vary, and of the schedule that it is made for
    grid: where the voxels lie
    numbers: that vary, by address, shape `(voxels,)`
    m0: of each voxel, shape `(voxels,)`
    """

    name: str
    tissue: str
    sequence: str
    grid: Grid
    numbers: Mapping[str, Tensor]
    m0: Tensor

    def signals(self, timeline: Timeline, snr: float | None = None, seed: int = 0) -> Tensor:
        """|Mxy| at the first sample of each measurement, times M0, as magnitude images have it, float64.

        snr: mean signal of all voxels over the standard deviation of the noise in its real and its imaginary part;
            None is no noise
        seed: of the noise

        Shape `(voxels, measurements)`.
        """
        unique, place = torch.unique(torch.stack(list(self.numbers.values()), dim=1), dim=0, return_inverse=True)
        columns = {name: unique[:, number].numpy() for number, name in enumerate(self.numbers)}
        mapping = load_mapping(self.tissue)
        plan = TissuePlan(self.tissue, mapping, {}, columns, {}, {}, 1)
        solved = solve_pools(timeline, plan.with_columns(columns).tissue)
        first = np.unique(solved.measurement, return_index=True)[1]
        clean = self.m0[:, None] * solved.mxy[:, first].abs()[place]
        return clean if snr is None else _noisy(clean, float(clean.mean()) / snr, seed)


def fingerprint_phantom(name: str, matrix: int = 64, seed: int = 0) -> FingerprintPhantom:
    """The phantom of that name on `matrix` x `matrix` voxels; `TissueError` for one that is not known.

    seed: of its random maps
    """
    if name not in PHANTOMS:
        raise TissueError(f"There is no fingerprint phantom '{name}'. {known_names(name, PHANTOMS)}")
    if matrix < 8:
        raise TissueError(f"A matrix of {matrix} holds no phantom; give 8 or more.")
    return PHANTOMS[name](matrix, seed)


def _larginine_vials(matrix: int, seed: int) -> FingerprintPhantom:
    lattice = Lattice((1, matrix, matrix), (_FOV, _FOV, _SLICE))
    angles = [math.pi / 2 - 2 * math.pi * vial / 3 for vial in range(3)]
    radii = (_VIAL, _VIAL, math.inf)
    label = paint(lattice, [Ellipsoid((_RING * math.cos(a), _RING * math.sin(a), 0.0), radii) for a in angles])
    grid, kept = _grid(lattice, label >= 0)
    rate = torch.tensor(_RATES, dtype=torch.float64)[kept(label)]
    same = torch.ones_like(rate)
    numbers = {
        "water_pool.t1": 2.8 * same,
        "water_pool.t2": 1.0 * same,
        "cest_pool.arginine.k": rate,
        "cest_pool.arginine.f": 3 * 50 / 110_000 * same,
    }
    return FingerprintPhantom("larginine_vials", "larginine_phantom_9p4t", "mrf_larginine_9p4t", grid, numbers, same)


def _brain_mt(matrix: int, seed: int) -> FingerprintPhantom:
    lattice = Lattice((1, matrix, matrix), (_BRAIN_FOV, _BRAIN_FOV, _BRAIN_SLICE))
    shares = tissue_fractions(lattice, View("axial", _AT_MM))[0].double()
    solid = shares[0] + shares[1]
    grid, kept = _grid(lattice, solid >= 0.5)
    white = kept(shares[0] / solid.clamp(min=0.5))
    numbers = {
        name: (inside * white + outside * (1 - white)) * kept(field_map(lattice.shape, 0.9, 1.1, seed, name))
        for name, (inside, outside) in _WHITE_GREY.items()
    }
    m0 = kept(field_map(lattice.shape, 0.8, 1.2, seed, "m0"))
    return FingerprintPhantom("brain_mt", "mouse_brain_7t_mt", "mrf_mt_7t", grid, numbers, m0)


PHANTOMS: dict[str, Callable[[int, int], FingerprintPhantom]] = {
    "brain_mt": _brain_mt,
    "larginine_vials": _larginine_vials,
}


def _grid(lattice: Lattice, inside: Tensor) -> tuple[Grid, Callable[[Tensor], Tensor]]:
    """The grid of images `[x, y, z]`, and what takes the voxels inside out of a map `[z, y, x]`."""
    x, y, z = (1e3 * size for size in lattice.spacing)
    planes, rows, columns = lattice.shape
    affine = np.diag([x, y, z, 1.0])
    affine[:3, 3] = -x * (columns // 2), -y * (rows // 2), -z * (planes // 2)
    turned = inside.permute(2, 1, 0)
    return Grid(affine, turned.numpy()), lambda values: values.permute(2, 1, 0)[turned]


def _noisy(clean: Tensor, sigma: float, seed: int) -> Tensor:
    """Magnitude of the signal with white noise in both parts (Rice)."""
    random = torch.Generator().manual_seed(seed)
    real, imaginary = (sigma * torch.randn(clean.shape, generator=random, dtype=clean.dtype) for _ in range(2))
    return torch.hypot(clean + real, imaginary)
