"""How pulses are cut into cells, and that the sampling that is chosen keeps the error that was asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spinloom.physics.engine import solve_pools
from spinloom.physics.envelope import Envelope
from spinloom.physics.far_pulses import solve_far
from spinloom.physics.probing import probed_measurements
from spinloom.physics.propagation import PulseKey
from spinloom.physics.sampling import FAR, enough_cells, sample_pulse
from spinloom.physics.star import star_of
from spinloom.physics.stepwise import nodes_needed
from spinloom.sequence.steps import step_program
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.testing.timelines import MARKER, SPOILER, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue


def sinc(steps: int, duration: float = 0.05) -> RfWaveform:
    time = (np.arange(steps) + 0.5) / steps - 0.5
    values = (0.85 + 0.15 * np.cos(2 * np.pi * time)) * np.sinc(2 * time) + 0j
    return RfWaveform(np.full(steps, duration / steps), values, exact=True)


def trains(offsets: np.ndarray, pulses: int) -> Timeline:
    """A train of 50 ms pulses at each offset [Hz], whose phases go on as its frequency does."""
    parts: list = []
    for offset in offsets:
        for number in range(pulses):
            phase = 2 * math.pi * ((offset * 0.05 * number) % 1.0)
            parts += [(sinc(200), rf_event(140.0, offset, phase)), 0.005]
        parts += [SPOILER, MARKER]
    return timeline_of(parts)


def creatine(b0_shift: float = 0.0) -> Tissue:
    """Water of a T2 so long that the pulses of a train remember each other."""
    return tissue_from_mapping(
        {
            "water_pool": {"t1": 3.0, "t2": 2.0},
            "cest_pool": {"guanidine": {"f": 5e-4, "t1": 1.0, "t2": 0.1, "k": 50, "dw": 1.9}},
            "b0": 3,
            "b0_inhom": b0_shift,
        },
        "creatine",
    )


@pytest.mark.parametrize("cells", [7, 32, 150])
@pytest.mark.parametrize("steps", [200, 997, 30_000])
def test_cells_keep_area_power_and_their_first_moments(steps: int, cells: int) -> None:
    whole = RfWaveform(sinc(steps).durations, sinc(steps).values * np.exp(1j * np.linspace(0, 3, steps)), exact=True)
    sampled = sample_pulse(whole, cells)
    middle, ends = np.cumsum(sampled.length) - sampled.length / 2, np.cumsum(whole.durations)
    for values, mean, slope in (
        (whole.values, sampled.mean, sampled.slope),
        (np.abs(whole.values) ** 2, sampled.power, sampled.power_slope),
    ):
        area, moment = values @ whole.durations, values @ (whole.durations * (ends - whole.durations / 2))
        np.testing.assert_allclose(mean @ sampled.length, area, rtol=1e-12)
        np.testing.assert_allclose(mean @ (sampled.length * middle) + slope @ sampled.length**2, moment, rtol=1e-12)


@pytest.mark.parametrize(("cells", "joined"), [(32, 5), (48, 4), (70, 2), (150, 1)])
def test_cells_of_a_coarse_file_join_as_many_of_its_steps_each(cells: int, joined: int) -> None:
    np.testing.assert_allclose(sample_pulse(sinc(200), cells).length, joined * 0.05 / 200, rtol=1e-9)


def test_a_long_constant_stretch_stays_one_cell() -> None:
    durations = np.concatenate([np.full(50, 1e-4), [0.04], np.full(50, 1e-4)])
    sampled = sample_pulse(RfWaveform(durations, np.linspace(0, 1, 101) + 0j, exact=True), 20)
    assert np.count_nonzero(np.isclose(sampled.length, 0.04)) == 1
    assert sampled.slope[np.isclose(sampled.length, 0.04)] == 0


def test_cells_repeat_faster_than_any_offset_that_they_could_excite() -> None:
    for turns in (0.0, 10.0, 40.0, 0.99 * FAR):
        assert enough_cells(32, turns) >= max(32, 1.4 * turns)
    assert enough_cells(32, FAR) == 32
    assert enough_cells(None, 100.0) is None


def test_cells_at_the_rate_of_the_offset_do_not_excite() -> None:
    """Forty cells in 50 ms repeat at 800 Hz; left as they are at that offset they err by 6e-5."""
    timeline = trains(np.array([800.0]), 10)
    exact, sampled = (solve_pools(timeline, creatine(), cells=cells).mz for cells in ("all", 40))
    assert float((sampled - exact).abs().max()) <= 1e-5


@pytest.mark.parametrize("b0_shift", [0.0, 0.13], ids="{} ppm".format)
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_trains_in_step_with_the_precession_of_water_keep_the_error_too(rtol: float, b0_shift: float) -> None:
    """Their errors add up, at offsets that are a few hertz wide."""
    timeline, tissue = trains(np.arange(-1000.0, 1000.0, 31.7), 12), creatine(b0_shift)
    exact, chosen = solve_pools(timeline, tissue, cells="all"), solve_pools(timeline, tissue, rtol=rtol)
    assert float((chosen.mz - exact.mz).abs().max()) <= rtol


def test_what_is_probed_are_few_of_many_offsets_and_every_one_of_a_signal_that_is_carried_on() -> None:
    timeline = trains(np.linspace(-1000.0, 1000.0, 101), 2)
    program, tissue = step_program(timeline), creatine().flatten()
    probed = probed_measurements(program, timeline, tissue)
    assert {0, 50, 100} < set(probed.tolist())  # the outermost offsets, and water
    assert probed.size <= 20
    carried = tissue_from_mapping({"water_pool": {"t1": 1, "t2": 1}, "b0": 3, "reset_init_mag": False}, "x").flatten()
    assert probed_measurements(program, timeline, carried).size == 101


def test_some_measurements_alone_give_what_they_give_among_all() -> None:
    timeline = trains(np.array([-300.0, 0.0, 130.0, 500.0]), 2)
    program = step_program(timeline)
    part = program.only(np.array([1, 3]))
    assert part.measurement.tolist() == [0, 1]
    np.testing.assert_array_equal(part.time, program.time[[1, 3]])
    whole = [step for step in program.steps if not hasattr(step, "index")]
    alone = [step for step in part.steps if not hasattr(step, "index")]
    assert alone == whole[len(whole) // 4 : len(whole) // 2] + whole[3 * len(whole) // 4 :]


@pytest.mark.parametrize("offset", [0.0, 60.0, -450.0, 2000.0], ids="{} Hz".format)
def test_steps_chained_one_after_the_other_agree_with_exponentials_of_each(offset: float) -> None:
    timeline = timeline_of([(sinc(200), rf_event(140.0, offset)), MARKER])
    chained, exponentials = (
        solve_pools(timeline, creatine(), cells="all", engine=name) for name in ("fast", "readable")
    )
    for name in ("mz", "mxy"):
        assert (
            float((getattr(chained, name) - getattr(exponentials, name)).abs().max()) <= 1e-11
        )  # two hundred products


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8, 1e-12])
def test_as_many_amplitudes_are_taken_as_the_error_of_a_pulse_asks_for(tolerance: float) -> None:
    envelope, tissue = Envelope(sinc(100)), creatine().flatten()
    keys = [PulseKey(0, 140.0, 30.0)]
    carrier, nutation = np.array([2 * np.pi * 30.0]), np.array([[2 * np.pi * 140.0]])
    star = star_of(tissue)
    assert star is not None

    def chained(count: int) -> np.ndarray:
        return solve_far(star, np.zeros((1, 0, 1)), nutation, carrier, envelope.half, True, count)

    needed = nodes_needed(envelope, keys, tissue, tolerance)
    assert needed is not None
    assert np.abs(chained(needed) - chained(needed + 3)).max() <= max(tolerance, 1e-13)  # a hundred roundings
    assert needed == 2 or np.abs(chained(max(needed - 2, 1)) - chained(needed + 3)).max() > tolerance


def test_steps_that_are_many_unequal_or_of_changing_phase_are_not_chained() -> None:
    time = np.linspace(0, 1, 200)
    unequal = RfWaveform(np.linspace(1e-4, 2e-4, 200), sinc(200).values, exact=True)
    turning = RfWaveform(sinc(200).durations, sinc(200).values * np.exp(3j * time), exact=True)
    assert [Envelope(form).steps for form in (sinc(200), sinc(30_000), unequal, turning)] == [200, None, None, None]


def test_steps_are_chained_where_pools_are_few_and_not_where_a_series_over_fewer_cells_is_cheaper() -> None:
    offsets = np.array([-300.0, 100.0])
    solved = solve_pools(trains(offsets, 2), creatine(), rtol=1e-4)
    assert "Pulses are solved at every sample of the file." in solved.notes
    pools = {f"pool{n}": {"f": 1e-3, "t1": 1.0, "t2": 0.1, "k": 50, "dw": n} for n in range(6)}
    many = tissue_from_mapping({"water_pool": {"t1": 1.0, "t2": 0.1}, "cest_pool": pools, "b0": 3}, "seven pools")
    assert any("cells or more" in note for note in solve_pools(trains(offsets, 2), many, rtol=1e-4).notes)
