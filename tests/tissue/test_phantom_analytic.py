"""Phantoms of known shapes: areas, volumes, materials, symmetry, seeds."""

from __future__ import annotations

import math

import pytest
import torch

from spinloom.tissue.phantoms.door import phantom
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.solids import Box, Ellipsoid, paint
from spinloom.tissue.phantoms.tubes import Liquid, tubes

LIQUIDS = [Liquid(0.3 + 0.2 * number, 0.02 + 0.03 * number) for number in range(6)]
BATH = Liquid(3.0, 2.0, 0.5)


def test_every_tube_has_its_area_and_its_liquid() -> None:
    """Voxels whose centre lies in a circle count its area up to a share of those on its edge, of which there are
    about 8 radii; their surplus scatters as the root of their number: 3 sqrt(8 * 46) voxels of 6,700."""
    made = tubes(Lattice((1, 512, 512), (0.22, 0.22, 0.005)), LIQUIDS, BATH, 0.02, 0.06, 0.1)
    area = made.voxel[0] * made.voxel[1]
    for liquid in LIQUIDS:
        inside = made.t1 == liquid.t1
        assert float(inside.sum()) * area == pytest.approx(math.pi * 0.02**2, rel=0.01)
        assert made.t2[inside].unique().tolist() == [liquid.t2]
    bath = (made.t1 == BATH.t1) & (made.m0 == BATH.m0)
    assert float(bath.sum()) * area == pytest.approx(math.pi * (0.1**2 - 6 * 0.02**2), rel=0.003)


def test_tubes_stand_clockwise_from_twelve_o_clock() -> None:
    made = tubes(Lattice((1, 128, 128), (0.22, 0.22, 0.005)), LIQUIDS[:4], BATH, 0.02, 0.06, 0.1)
    places = {12: (1, 0), 3: (0, 1), 6: (-1, 0), 9: (0, -1)}
    for liquid, (up, right) in zip(LIQUIDS[:4], places.values(), strict=True):
        y, x = 64 + round(up * 0.06 / made.voxel[1]), 64 + round(right * 0.06 / made.voxel[0])
        assert made.t1[0, y, x] == liquid.t1


def test_a_solid_tube_is_the_same_in_every_plane() -> None:
    made = tubes(Lattice((5, 64, 64), (0.22, 0.22, 0.1)), LIQUIDS, BATH, 0.02, 0.06, 0.1)
    assert made.t1.equal(made.t1[:1].expand_as(made.t1))


@pytest.mark.parametrize(
    ("solid", "volume"),
    [
        (Ellipsoid((0.0, 0.01, 0.0), (0.06, 0.03, 0.04), 0.7), 4 / 3 * math.pi * 0.06 * 0.03 * 0.04),
        (Box((0.01, 0.0, 0.0), (0.05, 0.03, 0.021), 0.3), 8 * 0.05 * 0.03 * 0.021),
    ],
    ids=["ellipsoid", "box"],
)
def test_a_solid_fills_its_volume(solid: Ellipsoid | Box, volume: float) -> None:
    """Surface voxels, some 14,000 of 48,000, are in or out by chance: their surplus is below 1 % by far."""
    lattice = Lattice((100, 101, 102), (0.2, 0.2, 0.2))
    voxel = math.prod(lattice.spacing)
    assert float((paint(lattice, [solid]) == 0).sum()) * voxel == pytest.approx(volume, rel=0.01)


def test_the_last_solid_is_on_top() -> None:
    lattice = Lattice((1, 32, 32), (1, 1, 1))
    label = paint(lattice, [Ellipsoid((0, 0, 0), (0.4, 0.4, 0.4)), Box((0, 0, 0), (0.1, 0.1, 0.1))])
    assert (label[0, 16, 16], label[0, 16, 24], label[0, 0, 0]) == (1, 0, -1)


def test_the_middle_plane_of_the_solid_head_is_the_flat_one() -> None:
    flat = phantom("shepp_logan", matrix=64)
    solid = phantom("shepp_logan", matrix=[64, 64, 9])
    for name in ("m0", "t1", "t2"):
        assert getattr(solid, name)[4].equal(getattr(flat, name)[0])
    assert not solid.m0[0].equal(solid.m0[4])


def test_the_head_keeps_its_shape_on_finer_grids() -> None:
    """The outer ellipse has half axes of 0.69 and 0.92 of half the field of view."""
    for matrix in (128, 256):
        made = phantom("shepp_logan", matrix=matrix)
        share = float((made.m0 > 0).sum()) / made.voxels
        assert share == pytest.approx(math.pi * 0.69 * 0.92 / 4, rel=0.005)


def test_shapes_follow_their_seed_and_stay_in_range() -> None:
    made = phantom("shapes", matrix=64, seed=4, m0=[0.5, 0.9], t1_s=[0.5, 2], t2_s=[0.05, 0.8], texture=0.2)
    assert made.m0.equal(phantom("shapes", matrix=64, seed=4, m0=[0.5, 0.9], texture=0.2).m0)
    assert not made.m0.equal(phantom("shapes", matrix=64, seed=5, m0=[0.5, 0.9], texture=0.2).m0)
    inside = made.m0 > 0
    for values, low, high in ((made.m0, 0.5, 0.9), (made.t1, 0.5, 2), (made.t2, 0.05, 0.8)):
        assert low <= float(values[inside].min()) < float(values[inside].max()) <= high
    assert bool((made.t2 <= made.t1).all())


def test_without_texture_there_are_as_many_values_as_shapes_that_show() -> None:
    made = phantom("shapes", matrix=128, shapes=12, texture=0)
    assert 3 <= made.t1[made.m0 > 0].unique().numel() <= 13


@pytest.mark.parametrize("name", ["shapes", "shepp_logan", "tubes"])
def test_a_volume_is_made_as_a_plane_is(name: str) -> None:
    made = phantom(name, matrix=[24, 20, 12], fov_mm=[240, 200, 60])
    assert made.shape == (12, 20, 24)
    assert made.fov == pytest.approx((0.24, 0.2, 0.06))
    assert made.m0.dtype == torch.float64
