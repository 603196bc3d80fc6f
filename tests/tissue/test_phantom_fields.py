"""Fields are smooth, meet their range, and coils obey Biot and Savart."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import ellipk

from spinloom.tissue.phantoms import coil_ring
from spinloom.tissue.phantoms.coil_ring import loop_field, ring_of_loops
from spinloom.tissue.phantoms.field_maps import field_map
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.randomness import texture

SHAPES = [(1, 64, 48), (24, 20, 16), (1, 1, 30)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("low", "high"), [(0.7, 1.3), (-150.0, 150.0), (3.0, 3.5)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_field_meets_both_ends_of_its_range_exactly(
    shape: tuple[int, int, int], low: float, high: float, dtype: torch.dtype
) -> None:
    for seed in range(5):
        field = field_map(shape, low, high, seed, dtype=dtype)
        assert (field.min(), field.max()) == (torch.tensor(low, dtype=dtype), torch.tensor(high, dtype=dtype))


def test_a_field_depends_on_seed_and_purpose_alone() -> None:
    shape = (1, 32, 32)
    assert field_map(shape, 0, 1, 5).equal(field_map(shape, 0, 1, 5))
    for other in (field_map(shape, 0, 1, 6), field_map(shape, 0, 1, 5, purpose="b1")):
        assert not torch.allclose(other, field_map(shape, 0, 1, 5), atol=0.05)


def test_a_field_is_the_same_on_every_grid() -> None:
    """Points at the same place: of 5 and of 9 points from edge to edge every other one."""
    coarse, fine = (field_map((1, count, count), 0, 1, seed=3) for count in (65, 129))
    torch.testing.assert_close(fine[:, ::2, ::2], coarse, rtol=0, atol=2e-3)  # the ends of the range fall between


def test_a_field_is_smooth() -> None:
    """The narrowest blob, 0.15 of half the field of view, falls by at most e^-1/2 / 0.15 of its height over that half;
    between two of 128 points that is 0.064 of a range of at least its height, here with room for the polynomial."""
    for seed in range(20):
        field = field_map((1, 128, 128), 0, 1, seed)
        assert float(field.diff(dim=1).abs().max()) < 0.1
        assert float(field.diff(dim=2).abs().max()) < 0.1


def test_a_flat_range_and_a_single_voxel_are_no_field() -> None:
    assert field_map((1, 1, 1), 2, 4, 0).item() == 3


def biot_savart(point: np.ndarray, a: float, segments: int = 2000) -> np.ndarray:
    """Field of a loop of radius `a` about z, in units of mu0 I / 2 pi, by summing short straight pieces."""
    angles = 2 * np.pi * (np.arange(segments) + 0.5) / segments
    wire = a * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    step = 2 * np.pi * a / segments * np.stack([-np.sin(angles), np.cos(angles), 0 * angles], axis=1)
    away = point - wire
    return (np.cross(step, away) / np.linalg.norm(away, axis=1)[:, None] ** 3).sum(axis=0) / 2


@pytest.mark.parametrize("r", [0.0, 1e-6, 0.03, 0.09, 0.25])
@pytest.mark.parametrize("w", [-0.1, 0.02, 0.3])
def test_a_loop_s_field_is_the_sum_over_its_wire(r: float, w: float) -> None:
    """The sum of 2,000 pieces on a smooth closed curve converges faster than any power; rounding is left."""
    along, outward = loop_field(np.array(r), np.array(w), 0.1)
    x, y, z = biot_savart(np.array([r, 0.0, w]), 0.1)
    assert (along, outward) == (pytest.approx(z, rel=1e-9), pytest.approx(x, rel=1e-6, abs=1e-12))
    assert y == pytest.approx(0, abs=1e-12)
    assert ellipk(0) == pytest.approx(math.pi / 2)


def uniform(shape: tuple[int, int, int], fov: tuple[float, float, float]):
    ones = torch.ones(shape, dtype=torch.float64)
    return Lattice(shape, fov).phantom("uniform", ones, ones, ones)


def test_a_ring_of_four_is_four_times_the_same_turned_by_a_right_angle() -> None:
    """On an odd grid a quarter turn maps voxels on voxels; B turns along, so Bx - i By by -i."""
    coils = ring_of_loops(uniform((1, 33, 33), (0.2, 0.2, 0.005)), 4)
    for number in range(3):
        turned = -1j * torch.rot90(coils[number], 1, dims=(2, 1))
        torch.testing.assert_close(coils[number + 1], turned, rtol=1e-10, atol=1e-10)


def test_the_root_of_the_sum_of_squares_is_one_on_average_and_a_coil_sees_its_own_side() -> None:
    coils = ring_of_loops(uniform((1, 40, 48), (0.24, 0.2, 0.005)), 8)
    assert coils.shape == (8, 1, 40, 48)
    assert float(coils.abs().square().sum(dim=0).sqrt().mean()) == pytest.approx(1, rel=1e-12)
    assert coils[0].abs()[0, 20, 40] > 3 * coils[0].abs()[0, 20, 8]


def test_a_fine_grid_is_interpolated_within_what_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = uniform((1, 150, 130), (0.22, 0.22, 0.005))
    interpolated = ring_of_loops(subject, 8)
    monkeypatch.setattr(coil_ring, "_FINE", 1000)
    solved = ring_of_loops(subject, 8)
    assert float((interpolated - solved).abs().max() / solved.abs().max()) < 1e-5


def test_texture_has_as_much_in_every_octave() -> None:
    """The mean over 16 seeds of the power in an octave scatters by some 10 %, least for the few coarse waves."""
    power = torch.zeros(64, 33)
    for seed in range(16):
        values = texture((1, 64, 64), seed, "any")
        assert float(values.abs().max()) <= 1
        power += torch.fft.rfft2(values[0]).abs().square()
    across, along = torch.meshgrid(torch.fft.fftfreq(64, 1 / 64), torch.fft.rfftfreq(64, 1 / 64), indexing="ij")
    frequency = torch.hypot(across, along)
    weight = torch.full((33,), 2.0)  # waves of the half spectrum stand for two, but for the first and last column
    weight[[0, -1]] = 1
    octaves = [float((power * weight)[(frequency >= low) & (frequency < 2 * low)].sum()) for low in (2, 4, 8, 16)]
    assert max(octaves) / min(octaves) < 1.5
