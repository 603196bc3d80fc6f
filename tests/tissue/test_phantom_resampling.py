"""Finer and coarser grids keep what the spins are, how many, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spinloom.errors import TissueError
from spinloom.tissue.files import read_tissue
from spinloom.tissue.phantom import Phantom, PoolMap
from spinloom.tissue.phantoms.resampling import downsample, resample
from spinloom.tissue.phantoms.t2_prime import lorentzian

BATCH = read_tissue("brain_3t_7pool")
COUNTS = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6))
FACTORS = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))


def scattered(shape: tuple[int, int, int], seed: int = 0) -> Phantom:
    """Random maps, a third of the voxels empty, with coils, T2' and pools."""
    random = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *leading: int) -> torch.Tensor:
        return low + (high - low) * torch.rand((*leading, *shape), generator=random, dtype=torch.float64)

    m0 = uniform(0, 1) * (uniform(0, 1) > 1 / 3)
    return Phantom(
        name="scattered",
        fov=(0.3, 0.2, 0.1),
        m0=m0,
        t1=uniform(0.5, 3),
        t2=uniform(0.02, 0.3),
        b0=uniform(-100, 100),
        b1=uniform(0.7, 1.3),
        coils=torch.complex(uniform(-1, 1, 2), uniform(-1, 1, 2)),
        t2_prime=uniform(0.01, 0.1),
        pools=PoolMap(
            BATCH,
            torch.where(m0 > 0, torch.randint(0, 4, shape, generator=random), -1),
        ),
        centre=(0.01, -0.02, 0.003),
    )


@settings(max_examples=15, deadline=None)
@given(shape=COUNTS, spins=FACTORS)
def test_spins_lie_centred_within_their_voxel(shape: tuple[int, int, int], spins: tuple[int, int, int]) -> None:
    coarse = scattered(shape)
    fine = resample(coarse, spins)
    assert fine.fov == coarse.fov
    for axis, factor in zip("xyz", spins, strict=True):
        groups = fine.positions(axis).reshape(-1, factor)
        torch.testing.assert_close(groups.mean(dim=1), coarse.positions(axis), rtol=0, atol=1e-15)
        steps = fine.positions(axis).diff()
        torch.testing.assert_close(steps, torch.full_like(steps, fine.voxel["xyz".index(axis)]), rtol=1e-12, atol=0)


@pytest.mark.parametrize("method", ["nearest", "linear"])
@settings(max_examples=12, deadline=None)
@given(shape=COUNTS, spins=FACTORS)
def test_m0_over_the_field_of_view_stays(method: str, shape: tuple[int, int, int], spins: tuple[int, int, int]) -> None:
    coarse = scattered(shape)
    fine = resample(coarse, spins, method=method)
    assert fine.shape == tuple(count * spin for count, spin in zip(shape, reversed(spins), strict=True))
    torch.testing.assert_close(fine.m0.mean(), coarse.m0.mean(), rtol=1e-13, atol=0)


@settings(max_examples=12, deadline=None)
@given(shape=COUNTS, factor=FACTORS)
def test_the_mean_of_the_spins_is_the_voxel_again(shape: tuple[int, int, int], factor: tuple[int, int, int]) -> None:
    before = replace(scattered(shape), t2_prime=None)
    after = downsample(resample(before, factor), factor)
    inside = before.m0 > 0
    for name in ("m0", "b0", "b1", "coils"):
        torch.testing.assert_close(getattr(after, name), getattr(before, name), rtol=1e-13, atol=1e-13)
    for name in ("t1", "t2"):
        torch.testing.assert_close(getattr(after, name)[inside], getattr(before, name)[inside], rtol=1e-13, atol=0)
    assert before.pools is not None
    assert after.pools is not None
    assert after.pools.index.equal(before.pools.index)
    assert after.centre == pytest.approx(before.centre, abs=1e-16)


def test_a_coarse_voxel_decays_at_first_as_its_spins_together() -> None:
    """The mean of signals, M0 exp(-t / T2), has at t = 0 the value and the slope of the voxel's signal."""
    fine = scattered((2, 8, 8))
    coarse = downsample(fine, (4, 4, 2))
    step = 1e-6

    def grouped(values: torch.Tensor) -> torch.Tensor:
        return values.reshape(1, 2, 2, 4, 2, 4).mean(dim=(1, 3, 5))

    for name in ("t1", "t2", "t2_prime"):
        spins = grouped(fine.m0 * torch.exp(-step / getattr(fine, name)))
        voxel = coarse.m0 * torch.exp(-step / getattr(coarse, name))
        # the next order of the exponentials is (step / T)^2 / 2 < 1e-8
        torch.testing.assert_close(voxel, spins, rtol=1e-8, atol=0)
        assert not torch.allclose(voxel, grouped(fine.m0), rtol=1e-7)


def test_linear_is_between_the_neighbours_and_does_not_leak_from_empty_voxels() -> None:
    ramp = torch.arange(4, dtype=torch.float64).expand(1, 1, 4)
    ones = torch.ones_like(ramp)
    plain = Phantom("ramp", (4.0, 1.0, 1.0), ones, 1 + 0 * ramp, 1 + 0 * ramp, b0=ramp, b1=ones)
    fine = resample(plain, (2, 1, 1), method="linear")
    assert fine.b0.flatten().tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    empty = torch.tensor([1.0, 1, 0, 0], dtype=torch.float64).expand(1, 1, 4)
    times = torch.tensor([1.0, 1, 99, 99], dtype=torch.float64).expand(1, 1, 4)
    half = resample(replace(plain, m0=empty, t1=times), (2, 1, 1), method="linear")
    assert half.t1[half.m0 > 0].tolist() == [1.0] * 5


def test_a_single_number_refines_the_axes_that_have_voxels() -> None:
    assert resample(scattered((1, 4, 5)), 3).shape == (1, 12, 15)
    assert resample(scattered((2, 4, 5)), 3).shape == (6, 12, 15)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda it: resample(it, 0), "are not to be had; give a whole number from 1"),
        (lambda it: resample(it, 2, method="cubic"), "by 'cubic'. .*Known: linear, nearest"),
        (lambda it: downsample(it, (2, 3, 1)), "has 4 voxels along y, which cannot be taken 3 at a time"),
    ],
)
def test_what_cannot_be_divided_is_refused(call, reason: str) -> None:
    with pytest.raises(TissueError, match=reason):
        call(scattered((1, 4, 4)))


def test_t2_prime_becomes_off_resonance_of_the_same_seed_only() -> None:
    coarse = scattered((2, 3, 4))
    fine = resample(coarse, 3, seed=7)
    assert fine.t2_prime is None
    assert fine.b0.equal(resample(coarse, 3, seed=7).b0)
    assert not fine.b0.equal(resample(coarse, 3, seed=8).b0)
    assert resample(coarse, (1, 1, 1)).t2_prime is coarse.t2_prime


def test_every_voxel_holds_one_spin_of_each_part_of_the_lorentzian() -> None:
    coarse = scattered((2, 3, 4))
    assert coarse.t2_prime is not None
    fine = resample(coarse, (3, 2, 1))
    offsets = (fine.b0 - resample(replace(coarse, t2_prime=None), (3, 2, 1)).b0).reshape(2, 3, 2, 4, 3)
    widths = offsets.permute(0, 1, 3, 2, 4).flatten(start_dim=3) * 2 * torch.pi * coarse.t2_prime[..., None]
    parts = ((torch.atan(widths) / torch.pi + 0.5) * 6).floor().long().sort(dim=-1).values
    assert parts.equal(torch.arange(6).expand_as(parts))


@pytest.mark.parametrize("count", [4, 9, 16, 64])
def test_many_voxels_decay_with_t2_prime(count: int) -> None:
    """The ends that are cut change the mean by 0.3 / n; 2,000 voxels of scatter 3.5 / n leave 3 sigma = 0.23 / n."""
    time = torch.linspace(0, 3, 11, dtype=torch.float64)
    signals = torch.exp(1j * lorentzian(2000, count, seed=1).double()[..., None] * time).mean(dim=1)
    assert float((signals.mean(dim=0) - torch.exp(-time)).abs().max()) < 0.5 / count
    assert float((signals - torch.exp(-time)).abs().square().mean(dim=0).sqrt().max()) < 3.5 / count


@pytest.mark.parametrize("method", ["nearest", "linear"])
def test_every_spin_with_magnetisation_has_pools(method: str) -> None:
    fine = resample(scattered((2, 6, 5)), 3, method=method)
    assert fine.pools is not None
    assert fine.pools.index.ge(0).equal(fine.m0 > 0)
