"""The simulators of images beside each other: one physics, what each asks of a file, and what it reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import spinloom
from spinloom.errors import ConfigurationError, RequirementError, SpinloomError
from spinloom.free_memory import free_memory
from spinloom.sequence.timeline import Timeline
from spinloom.tasks.simulate import build_simulator, check_fit

SEQUENCES = {
    "fse": "fse(matrix=16, shots=4, etl=4, esp_ms=8, tr_ms=200)",
    "epi": "epi(matrix=16, esp_ms=0.4, te_ms=10)",
    "moled": "moled(matrix=32, esp_ms=0.5, shift_x=(6,-3,6,-4), shift_y=(8,8,8,-12))",
    "cest_epi": "cest_epi(matrix=16, esp_ms=0.6, pulses=2, pulse_ms=10, recovery_ms=50, largest_ppm=1, step_ppm=1)",
}


@pytest.fixture(scope="module")
def phantom() -> spinloom.Phantom:
    """Tubes on 32 x 32 spins under uneven fields."""
    options = {"spins": 2, "b0_hz": [-40, 40], "b1": [0.8, 1.2], "seed": 1}
    return spinloom.build_phantom({"name": "tubes", "matrix": 16, **options})


@pytest.fixture(scope="module")
def pools() -> spinloom.Phantom:
    """A brain of pools on 16 x 16 voxels."""
    return spinloom.build_phantom({"name": "brain_pools", "matrix": 16})


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    """A small sequence of each family."""
    return {name: spinloom.read_sequence(text) for name, text in SEQUENCES.items()}


@pytest.mark.parametrize("family", ["fse", "epi", "moled"])
def test_a_familys_simulator_is_the_general_one(
    family: str, timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    own, general = (
        spinloom.simulate(sequence=timelines[family], phantom=phantom, simulator=name) for name in (family, "bloch")
    )
    assert torch.equal(own.samples, general.samples)


@pytest.mark.parametrize("family", SEQUENCES)
def test_every_family_is_reconstructed_to_its_matrix_and_reported(
    family: str, timelines: dict[str, Timeline], phantom: spinloom.Phantom, pools: spinloom.Phantom
) -> None:
    timeline, subject = timelines[family], pools if family == "cest_epi" else phantom
    simulator = build_simulator({"name": family, "dtype": "float32"})
    check_fit(simulator, family, timeline, subject)
    kspace = simulator.simulate(timeline, subject)
    image = (
        simulator.reconstruct(timeline, kspace)
        if hasattr(simulator, "reconstruct")
        else spinloom.reconstruct(kspace, timeline.definitions)
    )
    side = 32 if family == "moled" else 16
    assert tuple(image.data.shape) == (4 if family == "cest_epi" else 1, 1, 1, side, side)
    assert image.notes == ()
    if hasattr(simulator, "report"):
        (section,) = simulator.report(timeline, subject, kspace)
        assert section.blocks


def test_the_report_of_an_echo_train_says_when_its_centre_is_read(
    timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    """Linear order: line 8 of 16 is echo 2 of 4 in its shot, at three times 8 ms."""
    simulator = build_simulator({"name": "fse", "dtype": "float32"})
    (section,) = simulator.report(timelines["fse"], phantom, simulator.simulate(timelines["fse"], phantom))  # type: ignore[attr-defined]
    rows = dict(section.blocks[0].rows)
    assert rows["Shots"] == "4"
    assert rows["Echoes a shot"] == "4"
    assert rows["Echo spacing"] == "8 ms"
    assert float(rows["Effective echo time"].removesuffix(" ms")) == pytest.approx(24, abs=1.0)


def test_the_report_of_a_blipped_train_says_by_how_much_the_field_shifts_it(
    timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    simulator = build_simulator({"name": "epi", "dtype": "float32"})
    (section,) = simulator.report(timelines["epi"], phantom, simulator.simulate(timelines["epi"], phantom))  # type: ignore[attr-defined]
    rows = dict(section.blocks[0].rows)
    largest = float(phantom.b0[phantom.m0 > 0].abs().max())
    assert rows["Blipped axis"] == "y"
    assert float(rows["Largest shift along it"].split()[0]) == pytest.approx(largest * 16 * 0.4e-3, rel=0.01)


def test_coils_that_receive_alike_each_see_what_one_sees(
    timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    weights = torch.tensor([1.0, -0.5, 2j], dtype=torch.complex128)
    coils = weights[:, None, None, None].expand(3, *phantom.shape).contiguous()
    one = spinloom.simulate(sequence=timelines["epi"], phantom=phantom, dtype="float64", rtol=1e-9)
    three = spinloom.simulate(
        sequence=timelines["epi"], phantom=replace(phantom, coils=coils), dtype="float64", rtol=1e-9
    )
    assert float((three.samples - weights[:, None] * one.samples).abs().max()) < 1e-12  # sums of 1024 spins round


def test_a_coil_weighs_the_magnetisation_of_each_place(
    timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    weight = torch.linspace(0.2, 1.0, phantom.voxels, dtype=torch.float64).reshape(phantom.shape)
    received = replace(phantom, coils=weight[None].to(torch.complex128))
    weighed = replace(phantom, m0=phantom.m0 * weight)
    first, second = (
        spinloom.simulate(sequence=timelines["epi"], phantom=subject, dtype="float64", rtol=1e-9).samples
        for subject in (received, weighed)
    )
    assert float((first - second).abs().max()) < 1e-9


def test_false_echoes_are_in_the_warning_and_where_asked_not_in_the_image() -> None:
    """A train that refocuses by 120 degrees on one spin a voxel, against 12 x 12 spins a voxel."""
    timeline = spinloom.read_sequence("fse(matrix=16, shots=4, etl=4, refocusing_deg=120, crusher_axes=x)")
    coarse = spinloom.build_phantom({"name": "tubes", "matrix": 16})
    told, resolved = (
        spinloom.simulate(sequence=timeline, phantom=coarse, simulator="fse", false_echoes=choice)
        for choice in ("told", "resolved")
    )
    exact = spinloom.simulate(sequence=timeline, phantom=spinloom.resample(coarse, 12), simulator="fse")
    largest = float(exact.samples.abs().max())
    assert float((told.samples - exact.samples).abs().max()) > 0.05 * largest
    assert any("isochromats are too few for the coherence" in note for note in told.notes)
    assert float((resolved.samples - exact.samples).abs().max()) < 5e-3 * largest  # some coherences of up to 0.1 % each
    assert any("The phantom of 16 x 16 x 1 voxels is played on" in note for note in resolved.notes)
    assert not any("too few" in note for note in resolved.notes)
    assert resolved.fov == told.fov


@pytest.mark.parametrize("offset_mm", [-10.0, 10.0])
def test_a_slice_with_an_offset_shows_what_lies_there(offset_mm: float) -> None:
    """Nine slabs of 5 mm of ten planes each, in which one alone has magnetisation; the slice meets it or does not."""

    def brightness(slab: int) -> float:
        m0 = torch.zeros(9, 10, 8, 8, dtype=torch.float64)
        m0[slab] = 1.0
        full = torch.ones(90, 8, 8, dtype=torch.float64)
        subject = spinloom.Phantom("slabs", (0.22, 0.22, 0.045), m0.reshape(90, 8, 8), full, 0.1 * full, 0 * full, full)
        centred = replace(subject, centre=(0.0, 0.0, 0.25e-3))  # planes lie half a plane below the middle
        return float(spinloom.simulate(sequence=sequence, phantom=centred).samples.abs().max())

    sequence = f"epi(matrix=16, esp_ms=0.6, te_ms=10, rf=sinc, slice_offset_mm={offset_mm:g})"
    there = 4 + round(offset_mm / 5)
    sizes = [brightness(slab) for slab in range(9)]
    assert sizes.index(max(sizes)) == there
    assert max(sizes) == pytest.approx(np.exp(-10e-3 / 0.1) / 9, rel=0.1)  # a slice's edges are not sharp
    assert max(size for slab, size in enumerate(sizes) if abs(slab - there) > 1) < 0.02 * max(sizes)


def test_t2_prime_shortens_free_induction_and_leaves_a_spin_echo(timelines: dict[str, Timeline]) -> None:
    """EPI echoes decay by exp(-t / T2') more, to the 0.3 / n of n spins; FSE's, at every eighth millisecond, do not.

    At the samples nearest to k = 0, which T2 of the tubes weighs alike with and without T2'.
    """
    kept = {}
    for family in ("epi", "fse"):
        without, spread = (
            spinloom.simulate(
                sequence=timelines[family],
                phantom=spinloom.build_phantom({"name": "tubes", "matrix": 16, "spins": 8, "t2_prime_s": t2_prime}),
            )
            for t2_prime in (None, 0.02)
        )
        middle = int(np.argmin(np.linalg.norm(without.trajectory, axis=1)))
        kept[family] = complex(spread.samples[0, middle] / without.samples[0, middle])
    time = 10e-3  # the echo time of the EPI
    assert abs(kept["epi"]) == pytest.approx(np.exp(-time / 0.02), abs=0.02)  # 64 spins, and the size of a hard pulse
    assert kept["fse"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("simulator", ["epi", "bloch", "cest_epi"])
def test_t2_prime_of_lone_spins_is_refused_with_the_way_out(
    simulator: str, timelines: dict[str, Timeline], pools: spinloom.Phantom
) -> None:
    lone = replace(pools, t2_prime=torch.full_like(pools.m0, 0.03))
    timeline = timelines["cest_epi" if simulator == "cest_epi" else "epi"]
    with pytest.raises(RequirementError, match=r"has T2' and one spin a voxel, .*; add phantom\.spins=4"):
        spinloom.simulate(sequence=timeline, phantom=lone, simulator=simulator)
    if simulator == "cest_epi":
        spinloom.simulate(sequence=timeline, phantom=lone, simulator=simulator, spins=2)


def test_noise_has_the_size_that_was_asked_for_and_follows_the_seed(
    timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    def samples(noise: float, seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return spinloom.simulate(sequence=timelines["epi"], phantom=phantom, simulator="epi", noise=noise).samples

    plain, first, same, other = (samples(*case) for case in ((0.0, 1), (0.1, 1), (0.1, 1), (0.1, 2)))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    spread = torch.view_as_real(first - plain).std() / plain.abs().max()
    assert float(spread) == pytest.approx(0.1, rel=0.12)  # of 512 numbers: 3 % is one standard deviation


def test_complete_recovery_forgets_repetition_and_played_recovery_does_not(phantom: spinloom.Phantom) -> None:
    short, long = (spinloom.read_sequence(SEQUENCES["fse"].replace("tr_ms=200", f"tr_ms={tr}")) for tr in (60, 200))

    def difference(recovery: str) -> float:
        first, second = (
            spinloom.simulate(sequence=timeline, phantom=phantom, simulator="fse", recovery=recovery).samples
            for timeline in (short, long)
        )
        return float((first - second).abs().max() / first.abs().max())

    assert difference("complete") < 1e-5  # rounding in float32
    assert difference("played") > 0.05


def test_python_takes_a_tissue_or_a_phantom(timelines: dict[str, Timeline], phantom: spinloom.Phantom) -> None:
    for both in ({}, {"tissue": "water_3t", "phantom": phantom}):
        with pytest.raises(ConfigurationError, match="takes a tissue or a phantom; give one of the two"):
            spinloom.simulate(sequence=timelines["epi"], **both)
    with pytest.raises(RequirementError, match="Simulator 'cest' takes a tissue, but 'tubes' is a phantom"):
        spinloom.simulate(sequence=timelines["epi"], phantom=phantom, simulator="cest")
    kspace = spinloom.simulate(sequence=timelines["epi"], phantom="shepp_logan")
    assert isinstance(kspace, spinloom.KSpace)
    assert kspace.samples.dtype == torch.complex64


def test_a_phantom_of_pools_is_water_alone_for_who_knows_water_alone(
    timelines: dict[str, Timeline], pools: spinloom.Phantom
) -> None:
    kspace = spinloom.simulate(sequence=timelines["epi"], phantom=pools, simulator="epi")
    alone = spinloom.simulate(sequence=timelines["epi"], phantom=replace(pools, pools=None), simulator="epi")
    assert torch.equal(kspace.samples, alone.samples)
    assert "The phantom's pools are left out: its water is alone, with the T1 and T2 of the maps." in kspace.notes
    assert not any("pools" in note for note in alone.notes)


@pytest.mark.parametrize("family", ["fse", "epi", "moled"])
def test_a_family_that_lacks_lines_is_refused_before_work(
    family: str, timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    """All of y's gradients gone, the lines lie on each other, and which image each belongs to is not to be told."""
    timeline = timelines[family]
    still = timeline.block_gradient.copy()
    still[1] = -1
    with pytest.raises(RequirementError, match=f"Simulator '{family}' makes images of lines of k-space, but those of"):
        spinloom.simulate(sequence=replace(timeline, block_gradient=still), phantom=phantom, simulator=family)


def test_an_image_beyond_memory_is_refused_with_what_would_fit(
    timelines: dict[str, Timeline], phantom: spinloom.Phantom
) -> None:
    timeline = timelines["epi"]
    free = free_memory()
    assert free is not None
    samples = min(free // 1000, 4_000_000)  # 16 lines of them, and again
    longer = replace(timeline, adcs=tuple(replace(event, samples=samples) for event in timeline.adcs))
    blocks = np.tile(np.arange(len(timeline)), 1 + free // (100 * 16 * samples))
    with pytest.raises(
        SpinloomError, match=r"samples need about .* GB are free; about [\d,]+ samples fit\. Take fewer"
    ):
        spinloom.simulate(sequence=_picked(longer, blocks), phantom=phantom, simulator="bloch")


def _picked(timeline: Timeline, blocks: np.ndarray) -> Timeline:
    """Blocks in any order, as often as they are named."""
    return replace(
        timeline,
        block_duration=timeline.block_duration[blocks],
        block_rf=timeline.block_rf[blocks],
        block_gradient=timeline.block_gradient[:, blocks],
        block_adc=timeline.block_adc[blocks],
        block_extension=timeline.block_extension[blocks],
    )
