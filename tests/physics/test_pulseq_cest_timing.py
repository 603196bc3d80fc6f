"""`timing=pulseq_cest` and the sign of shape phases: published results reproduced, and each rule on its own."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import spinloom
from spinloom.errors import ConfigurationError
from spinloom.physics.engine import solve_pools
from spinloom.sequence.replay import as_pulseq_cest_plays, replay
from spinloom.sequence.timeline import RfEvent, RfWaveform, Timeline
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

PUBLIC = Path(__file__).parents[2].parent / "shared" / "data" / "pulseq-cest-library"

needs_public_files = pytest.mark.skipif(
    not PUBLIC.is_dir(), reason="the public .seq files, which are not ours to copy, do not lie beside the checkout"
)

Pulse = tuple[RfWaveform, RfEvent]


def water(t1: float = 1.0, t2: float = 0.1, samples: int = 100) -> Tissue:
    mapping = {"water_pool": {"t1": t1, "t2": t2}, "b0": 3, "max_pulse_samples": samples}
    return tissue_from_mapping(mapping, "water")


def mz(parts: list, tissue: Tissue, **options: str) -> float:
    return float(solve_pools(timeline_of(parts), tissue, cells="all", **options).mz[-1])


def shaped(magnitude: np.ndarray, phase: np.ndarray, duration: float, amplitude: float, frequency: float) -> Pulse:
    cells = np.full(magnitude.size, duration / magnitude.size)
    return RfWaveform(cells, magnitude * np.exp(1j * phase), exact=True), rf_event(amplitude, frequency)


@needs_public_files
@pytest.mark.parametrize(
    "name",
    [
        "APTw_3T_000_2uT_1block_2s_braintumor",
        "APTw_3T_001_2uT_36SincGauss_DC90_2s_braintumor",
        "MRF_CEST_3T_002_13SL_DC50_2500ms_LArginine",
    ],
)
def test_published_results_are_reproduced_within_2e7(name: str) -> None:
    """What remains is the single precision in which that program accumulates its phases and solves its matrices."""
    tissue = spinloom.read_tissue(PUBLIC / "WM_3T_default_7pool_bmsim.yaml")
    timeline = spinloom.read_sequence(PUBLIC / f"{name}.seq")
    published = np.loadtxt(PUBLIC / f"M_z_{name}.seq.txt")
    replayed = solve_pools(timeline, tissue, timing="pulseq_cest").mz.numpy()
    assert np.abs(replayed - published).max() <= 2e-7


@needs_public_files
def test_physical_timing_differs_from_the_published_results_by_1e4() -> None:
    name = "APTw_3T_001_2uT_36SincGauss_DC90_2s_braintumor"
    tissue = spinloom.read_tissue(PUBLIC / "WM_3T_default_7pool_bmsim.yaml")
    physical = solve_pools(spinloom.read_sequence(PUBLIC / f"{name}.seq"), tissue).mz.numpy()
    assert 1e-5 < np.abs(physical - np.loadtxt(PUBLIC / f"M_z_{name}.seq.txt")).max() < 2e-4


def test_block_pulses_that_gain_whole_degrees_are_played_as_the_file_says() -> None:
    parts = [block_pulse(0.01, 50.0, 200.0), 0.003, block_pulse(0.01, 50.0, 200.0, 1.0), 0.003, SPOILER]
    parts = [*parts, MARKER]
    timeline = dataclasses.replace(timeline_of(parts), version=(1, 3, 1))
    solved = [solve_pools(timeline, water(), timing=timing).mz for timing in ("physical", "pulseq_cest")]
    assert float((solved[0] - solved[1]).abs().max()) <= 1e-12


def test_phases_are_cut_to_whole_degrees_towards_zero() -> None:
    """A pulse of 10 ms gains 360 x 0.01 x f: 3.6 degrees at 1 Hz, of which 3 are counted."""
    pulses = [block_pulse(0.01, 50.0, frequency) for frequency in (1.0, -1.0, 0.0)]
    played = as_pulseq_cest_plays(timeline_of(pulses), 500, 127e6)
    lags = [math.degrees(event.phase_offset) for event in played.rf]
    assert lags == pytest.approx([0.0, 0.6, 0.0], abs=1e-9)


def test_shaped_pulses_are_sampled_at_the_left_edges_of_equal_cells_and_lose_their_rest() -> None:
    ramp = np.arange(1, 1001) / 1000
    waveform, event = shaped(ramp, 0 * ramp, 1e-3, 100.0, 0.0)
    (played,) = as_pulseq_cest_plays(timeline_of([(waveform, event)]), 300, 127e6).waveforms
    assert played.durations == pytest.approx(np.full(250, 4e-6), abs=1e-15)  # 1000 / 300, rounded up to 4
    assert played.values.real == pytest.approx(ramp[::4], abs=1e-5)  # summed up in single precision
    (shorter,) = as_pulseq_cest_plays(timeline_of([(waveform, event)]), 400, 127e6).waveforms
    assert shorter.duration == pytest.approx(999e-6, abs=1e-12)  # 333 cells of three samples


@pytest.mark.parametrize(
    ("version", "after"),
    [pytest.param((1, 3, 1), 30e-6, id="1.3, zeros"), pytest.param((1, 4, 0), 100e-6, id="1.4, dead time again")],
)
def test_after_a_pulse_comes_what_its_version_of_the_format_has(version: tuple, after: float) -> None:
    waveform = RfWaveform(np.array([1e-3, 30e-6]), np.array([1.0 + 0j, 0.0]), exact=True)
    event = dataclasses.replace(rf_event(100.0), delay=100e-6)
    timeline = dataclasses.replace(timeline_of([(waveform, event)]), version=version)
    played = as_pulseq_cest_plays(timeline, 500, 127e6)
    assert played.duration == pytest.approx(100e-6 + 1e-3 + after, abs=1e-12)


def test_readouts_take_no_time_and_one_gradient_spoils_nothing() -> None:
    played = as_pulseq_cest_plays(timeline_of([0.1, SPOILER, MARKER]), 500, 127e6)
    assert played.duration == pytest.approx(0.1 + SPOILER.duration, abs=1e-12)
    assert not played.block(1).gradients
    assert played.adcs[0].samples == 1


def test_nothing_of_the_given_timeline_changes() -> None:
    timeline = timeline_of([block_pulse(0.01, 50.0, 200.0), 0.003, SPOILER, MARKER])
    same = replay(timeline, "physical", None, 500, 127e6)
    assert same is timeline


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"timing": "pulseq-cest"}, ["timing is 'pulseq-cest'", "Did you mean 'pulseq_cest'?"]),
        ({"shape_phase": "matlab"}, ["shape_phase is 'matlab'", "Known: pulseq, pulseq_cest"]),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(options: dict, parts: list) -> None:
    with pytest.raises(ConfigurationError) as caught:
        mz([block_pulse(0.01, 50.0), MARKER], water(), **options)
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize(
    ("shape_phase", "frequency"),
    [pytest.param("pulseq", 300.0, id="as the format says"), pytest.param("pulseq_cest", -300.0, id="the other way")],
)
def test_a_shape_whose_phase_grows_is_a_pulse_of_positive_offset(shape_phase: str, frequency: float) -> None:
    """The format adds the shape's phase and that of the frequency offset; pulseq-cest subtracts the former.

    A thousand cells of 8 us stand for a phase that grows evenly; each is off by at most 2 pi 300 Hz 4 us = 0.0075.
    """
    tissue = dataclasses.replace(water(), b0_shift_ppm=torch.tensor(1.0, dtype=torch.float64))
    time = (np.arange(1000) + 0.5) * 8e-6
    turning = shaped(np.ones(1000), 2 * np.pi * 300.0 * time, 8e-3, 60.0, 0.0)
    expected = mz([block_pulse(8e-3, 60.0, frequency), SPOILER, MARKER], tissue)
    assert mz([turning, SPOILER, MARKER], tissue, shape_phase=shape_phase) == pytest.approx(expected, abs=1e-5)
    other = "pulseq" if shape_phase == "pulseq_cest" else "pulseq_cest"
    assert abs(mz([turning, SPOILER, MARKER], tissue, shape_phase=other) - expected) > 0.1


def adiabatic_lock(frequency: float, sign: int) -> list:
    """Half passage, lock of 100 ms, reversed half passage; the RF sweeps towards `frequency` [Hz] from above (+1)."""
    samples, duration, amplitude, bandwidth, mu = 2000, 8e-3, 150.0, 1200.0, 6.0
    time = (np.arange(samples) + 0.5) / samples * duration - duration
    beta = bandwidth * math.pi / mu
    offset = -sign * bandwidth / 2 * np.tanh(beta * time)  # from sign x bandwidth / 2 to 0 [Hz]
    phase = 2 * np.pi * np.cumsum(offset) * duration / samples
    phase -= phase[-1]
    magnitude = 1 / np.cosh(beta * time)
    down = shaped(magnitude, phase, duration, amplitude, frequency)
    up = shaped(magnitude[::-1], -phase[::-1], duration, amplitude, frequency)
    turns = 2 * np.pi * frequency * np.array([0.0, duration, duration + 0.1])
    lock = block_pulse(0.1, amplitude, frequency)
    pulses = [
        (waveform, dataclasses.replace(event, phase_offset=turn))
        for (waveform, event), turn in zip((down, lock, up), turns, strict=True)
    ]
    return [*pulses, SPOILER, MARKER]


def test_an_adiabatic_lock_that_comes_from_beyond_its_offset_keeps_water_up() -> None:
    """Beside the lock at +300 Hz, water stays on the side it started from; a sweep from below would invert it.

    With the other sign of the shape's phase the same file sweeps from below, across the water at 0 Hz.
    """
    theta = math.atan2(150.0, 300.0)
    r1rho = math.cos(theta) ** 2 / 1.0 + math.sin(theta) ** 2 / 0.1
    right = mz(adiabatic_lock(300.0, 1), water(), shape_phase="pulseq")
    wrong = mz(adiabatic_lock(300.0, 1), water(), shape_phase="pulseq_cest")
    assert right == pytest.approx(steady(theta) + (1 - steady(theta)) * math.exp(-r1rho * 0.1), abs=0.03)
    assert right - wrong > 0.1
    assert mz(adiabatic_lock(300.0, -1), water(), shape_phase="pulseq_cest") == pytest.approx(right, abs=1e-12)


def steady(theta: float) -> float:
    """Steady state along the effective field of a lock on water with T1 1 s and T2 0.1 s."""
    return math.cos(theta) / (math.cos(theta) ** 2 + math.sin(theta) ** 2 / 0.1)


def test_timing_of_pulseq_cest_brings_its_sign_along() -> None:
    timeline = timeline_of(adiabatic_lock(300.0, 1))
    turned = replay(timeline, "pulseq_cest", None, 5000, 127e6)
    kept = replay(timeline, "pulseq_cest", "pulseq", 5000, 127e6)
    assert isinstance(turned, Timeline)
    assert np.abs(turned.waveforms[0].values - kept.waveforms[0].values.conj()).max() == 0.0
    assert np.abs(kept.waveforms[0].values - timeline.waveforms[0].values).max() == 0.0
