"""Everything that offers a device keeps to it: bit for bit the CPU's results, and no tensor of the CPU on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from spinloom import Phantom, read_sequence, read_tissue, solve_phantom
from spinloom.interfaces import KSpace, Numerics, Signal
from spinloom.physics.engine import solve_pools
from spinloom.registry import plugins
from spinloom.testing import MixedDevicesError, pretended_device
from spinloom.tissue.phantom import PoolMap
from spinloom.tissue.pools import Isochromats

TISSUES = {
    "seven pools, a train": ("cest_train(pulses=2, largest_ppm=1, step_ppm=1)", "wm_3t_7pool"),
    "a super-Lorentzian, blocks": ("aptw_3t_block", "wm_3t_stanisz2005_mt"),
    "a fingerprint": ("mrf_larginine_9p4t", "larginine_phantom_9p4t"),
    "water alone": ("wasabi_3t", "water_3t"),
}

IMAGES = {
    "epi": "epi(matrix=12)",
    "fse": "fse(matrix=12, shots=2, etl=6)",
    "hard pulses": "epi(matrix=12, rf=hard)",
}


def phantom(planes: int = 1, coils: int | None = None) -> Phantom:
    draw = torch.Generator().manual_seed(1)
    shape = (planes, 12, 12)
    low_high = {"m0": (0.5, 1), "t1": (0.5, 2), "t2": (0.05, 0.3), "b0": (-40, 40), "b1": (0.8, 1.2)}
    maps = {name: low + (high - low) * torch.rand(shape, generator=draw) for name, (low, high) in low_high.items()}
    sensitivity = None if coils is None else torch.randn(coils, *shape, generator=draw, dtype=torch.complex64)
    return Phantom("drawn", (0.22, 0.22, 0.005 * planes), **maps, coils=sensitivity)


def same(found: Tensor, expected: Tensor) -> None:
    """`found` lies on the device and equals what the CPU found."""
    assert found.device.type != "cpu"
    assert torch.equal(found.cpu(), expected)


def test_an_operation_across_devices_is_refused_and_copies_are_not() -> None:
    with pretended_device() as device:
        here, there = torch.arange(3.0), torch.ones(3, device=device)
        with pytest.raises(MixedDevicesError, match=r"shapes \[\(3,\)\] and \[\(3,\)\]"):
            there + here
        same(there + here.to(device) * 2, 1 + 2 * here)
        same(torch.tensor([1.5, 2.5], device=device) + torch.tensor(1.0), torch.tensor([2.5, 3.5]))
        same(there[torch.tensor([0, 2])], torch.ones(2))
        assert float(there.sum()) == 3
        with pytest.raises(RuntimeError, match="numpy"):
            there.numpy()


@pytest.mark.parametrize(("sequence", "tissue"), TISSUES.values(), ids=TISSUES.keys())
def test_pools_are_solved_on_the_device(sequence: str, tissue: str) -> None:
    timeline, subject = read_sequence(sequence), read_tissue(tissue)
    expected = solve_pools(timeline, subject, engine="readable")
    with pretended_device() as device:
        found = solve_pools(timeline, subject, device=device)
        same(found.mz, expected.mz)
        same(found.mxy, expected.mxy)


def test_isochromats_within_a_voxel_are_solved_on_the_device() -> None:
    timeline, subject = read_sequence("aptw_3t_block"), read_tissue("water_3t")
    subject = replace(subject, isochromats=Isochromats(subject.water.t2 / 2, 9))
    expected = solve_pools(timeline, subject, engine="readable")
    with pretended_device() as device:
        same(solve_pools(timeline, subject, device=device).mz, expected.mz)


@pytest.mark.parametrize("sequence", IMAGES.values(), ids=IMAGES.keys())
@pytest.mark.parametrize("coils", [None, 2])
def test_images_are_simulated_on_the_device(sequence: str, coils: int | None) -> None:
    timeline, subject = read_sequence(sequence), phantom(coils=coils)
    expected = solve_phantom(timeline, subject, engine="readable")
    with pretended_device() as device:
        same(solve_phantom(timeline, subject, device=device).samples, expected.samples)


def test_a_volume_and_magnetisation_that_was_prepared_are_played_on_the_device() -> None:
    timeline, subject = read_sequence("epi(matrix=12)"), phantom(planes=3)
    start = subject.m0 / 3
    expected = solve_phantom(timeline, subject, engine="readable", start=start)
    with pretended_device() as device:
        same(solve_phantom(timeline, subject, device=device, start=start).samples, expected.samples)


@pytest.mark.parametrize(("name", "sequence"), [("cest", "aptw_3t_block"), ("mt", "mt_spectrum_3t")])
def test_simulators_of_tissues_answer_on_the_device(name: str, sequence: str) -> None:
    """With the CPU's compiled engine beside it, from which the readable one may differ by `rtol` each."""
    timeline, subject = read_sequence(sequence), read_tissue("wm_3t_stanisz2005_mt")
    kind = plugins().simulator(name)
    expected = kind(Numerics()).simulate(timeline, subject)
    with pretended_device() as device:
        found = kind(Numerics(device=device)).simulate(timeline, subject)
        assert isinstance(found, Signal)
        assert isinstance(expected, Signal)
        assert found.mz.device == device
        torch.testing.assert_close(found.mz.cpu(), expected.mz, atol=2e-6, rtol=0)


def test_a_simulator_of_images_answers_on_the_device() -> None:
    timeline, subject = read_sequence("epi(matrix=12)"), phantom()
    expected = solve_phantom(timeline, subject, engine="readable").samples
    with pretended_device() as device:
        found = plugins().simulator("epi")(Numerics(dtype=torch.float32, device=device)).simulate(timeline, subject)
        assert isinstance(found, KSpace)
        same(found.samples, expected)


def test_preparation_by_pools_and_readout_by_isochromats_answer_on_the_device() -> None:
    timeline = read_sequence("cest_epi(matrix=12, largest_ppm=1, step_ppm=1, esp_ms=0.3, pulses=2)")
    pools = PoolMap(
        read_tissue("wm_3t_stanisz2005_mt").flatten(), torch.zeros(1, 12, 12, dtype=torch.int64), ("white",)
    )
    subject = replace(phantom(), pools=pools)
    kind = plugins().simulator("cest_epi")
    expected = kind(Numerics()).simulate(timeline, subject)
    with pretended_device() as device:
        found = kind(Numerics(device=device)).simulate(timeline, subject)
        assert isinstance(found, KSpace)
        assert isinstance(expected, KSpace)
        assert found.samples.device == device
        torch.testing.assert_close(found.samples.cpu(), expected.samples, atol=2e-5, rtol=0)
