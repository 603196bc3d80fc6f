"""What textbooks solve: readouts of one pool, locks and their limits, saturation of a bound pool, steps and chunks."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from spinloom.physics import players
from spinloom.physics.engine import solve_pools
from spinloom.physics.lineshapes import absorption
from spinloom.sequence.timeline import AdcEvent, RfWaveform
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

LARMOR = 3 * 267.5153e6 / (2 * math.pi)


def tissue(t1: float = 1.2, t2: float = 0.08, **changes: object) -> Tissue:
    return tissue_from_mapping({"water_pool": {"t1": t1, "t2": t2}, "b0": 3} | changes, "closed form")


SERIES = 1e-12
"""Where a series ends, at 1e-13, depends on the fastest tissue of a chunk."""


def flip(degrees: float, phase: float = 0.0) -> tuple:
    """A hard pulse of 10 ns."""
    return block_pulse(1e-8, degrees / 360 / 1e-8, phase=phase)


HARD = 1e-6
"""What 10 ns of relaxation and precession leave beside an instant pulse."""


@pytest.mark.parametrize("reset", [pytest.param(False, id="carried over"), pytest.param(True, id="reset")])
def test_a_fingerprint_of_60_degree_readouts_follows_its_recurrence(reset: bool) -> None:
    """Wait, flip 60 degrees, sample |Mxy| after 20 ms, spoil: what the L-arginine schedule does after saturating.

    |Mxy| = sin(60) Mz exp(-TE/T2); afterwards Mz recovers from cos(60) Mz where magnetisation is carried over.
    """
    t1, t2, echo, wait, angle = 1.2, 0.08, 0.02, 0.7, math.radians(60)
    once = [wait, flip(60), echo, MARKER, SPOILER]
    solved = solve_pools(timeline_of(once * 6), tissue(t1, t2, scale=0.3, reset_init_mag=reset), cells="all")
    mz, expected = 0.3, []
    for _ in range(6):
        before = 1 + (mz - 1) * math.exp(-wait / t1)
        expected.append(math.sin(angle) * before * math.exp(-echo / t2))
        rest = echo + MARKER.duration + SPOILER.duration
        mz = 1 + (math.cos(angle) * before - 1) * math.exp(-rest / t1)
        if reset:
            mz = 1 + (0.3 - 1) * math.exp(-(MARKER.duration + SPOILER.duration) / t1)
    assert np.abs(solved.mxy.abs().numpy() - expected).max() <= HARD


def test_a_shaped_readout_of_60_degrees_flips_by_its_area_on_resonance() -> None:
    """A sinc of 2 ms whose phase turns by 90 degrees leaves Mxy along -x times sin(60): dM+/dt = i w Mz."""
    time = (np.arange(200) + 0.5) / 200 - 0.5
    shape = np.sinc(4 * time) * (0.5 + 0.5 * np.cos(2 * np.pi * time))
    waveform = RfWaveform(np.full(200, 1e-5), shape + 0j, exact=True)
    amplitude = math.radians(60) / (2 * math.pi * float(waveform.area.real))
    pulse = (waveform, dataclasses.replace(rf_event(amplitude), phase_offset=math.pi / 2, use="excitation"))
    signal = solve_pools(timeline_of([pulse, MARKER]), tissue(1e9, 1e9), cells="all")
    assert complex(signal.mxy) == pytest.approx(-math.sin(math.radians(60)), abs=1e-6)
    assert float(signal.mz) == pytest.approx(math.cos(math.radians(60)), abs=1e-6)


def test_a_readout_of_many_samples_follows_the_free_induction_at_their_middles() -> None:
    adc = AdcEvent(16, 1e-3, 2e-3, 0.0, 0.0, 0.0, 0.0, None)
    shift = 0.1
    signal = solve_pools(timeline_of([flip(90), adc]), tissue(b0_inhom=shift), cells="all")
    time = 2e-3 + (np.arange(16) + 0.5) * 1e-3
    turn = 2 * np.pi * LARMOR * shift * 1e-6
    assert np.abs(signal.mxy.numpy() - 1j * np.exp((1j * turn - 1 / 0.08) * time)).max() <= HARD
    assert signal.time == pytest.approx(1e-8 + time, abs=1e-12)


def test_a_marker_samples_at_its_begin_and_its_time_passes() -> None:
    signal = solve_pools(timeline_of([flip(180), MARKER, MARKER]), tissue(reset_init_mag=False), cells="all")
    recovered = [1 - 2 * math.exp(-time / 1.2) for time in (0.0, MARKER.duration)]
    assert signal.mz.numpy() == pytest.approx(recovered, abs=HARD)


@pytest.mark.parametrize("offset", [0.0, 50.0, 200.0, 1000.0])
def test_a_lock_along_the_effective_field_decays_with_r1rho(offset: float) -> None:
    """R1rho = R1 cos^2 + R2 sin^2 is first order in (R2 - R1) / w_eff, 0.02 here; so is the tolerance of the decay."""
    amplitude, duration, t1, t2 = 300.0, 0.05, 1.2, 0.08
    theta = math.atan2(amplitude, offset)  # of the axis that stands still, from +z towards +x
    onto = block_pulse(1e-8, theta / (2 * math.pi) / 1e-8, phase=-math.pi / 2)
    lock = block_pulse(duration, amplitude, offset)
    turned = 2 * math.pi * offset * duration
    back = block_pulse(1e-8, theta / (2 * math.pi) / 1e-8, phase=math.pi / 2 + turned)
    mz = float(solve_pools(timeline_of([onto, lock, back, MARKER]), tissue(t1, t2), cells="all").mz)
    rate = math.cos(theta) ** 2 / t1 + math.sin(theta) ** 2 / t2
    steady = math.cos(theta) / t1 / rate
    assert mz == pytest.approx(steady + (1 - steady) * math.exp(-rate * duration), abs=0.01)


@pytest.mark.parametrize("lineshape", ["lorentzian", "gaussian", "superlorentzian", "superlorentzian_usual"])
def test_saturation_of_a_bound_pool_reaches_its_steady_state(lineshape: str) -> None:
    """Henkelman's two-pool steady state far off resonance, where water's own saturation is w1^2 / (D^2 T2).

    The bound pool's line is read from the module that has its own tests; what is tested is where it enters.
    """
    f, k, r1, r2, r1_bound, t2_bound, amplitude, offset = 0.15, 30.0, 0.8, 12.5, 1.0, 1e-5, 400.0, 8000.0
    pool = {"f": f, "t1": 1 / r1_bound, "t2": t2_bound, "k": k, "dw": 0, "lineshape": lineshape}
    signal = solve_pools(
        timeline_of([block_pulse(30.0, amplitude, offset), MARKER]), tissue(1 / r1, 1 / r2, mt_pool=pool)
    )
    number = lambda value: torch.tensor(value, dtype=torch.float64)  # noqa: E731
    line = float(
        absorption(lineshape, number(t2_bound), number(2 * math.pi * offset), number(2 * math.pi * LARMOR * 1e-6))
    )
    w1, away = 2 * math.pi * amplitude, 2 * math.pi * offset
    bound_rate = w1**2 * line
    water_rate = w1**2 * r2 / (away**2 + r2**2)
    leaving, arriving = r1 + k * f + water_rate, r1_bound + k + bound_rate
    expected = (r1 * arriving + k * r1_bound * f) / (leaving * arriving - k * k * f)
    assert float(signal.mz) == pytest.approx(expected, abs=1e-6)


def test_results_do_not_depend_on_how_a_batch_is_cut_into_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = {"f": 0.01, "t1": 1.0, "t2": 0.02, "k": [50, 100, 200, 400, 800], "dw": 2.0}
    batch = tissue(cest_pool={"amide": pool})
    timeline = timeline_of([*[block_pulse(0.05, 40.0, 250.0), 0.01] * 4, SPOILER, MARKER])
    whole = solve_pools(timeline, batch, cells="all")
    monkeypatch.setattr(players, "CACHED", 1)
    one_by_one = solve_pools(timeline, batch, cells="all")
    assert float((whole.mz - one_by_one.mz).abs().max()) <= SERIES
    assert float((whole.mxy - one_by_one.mxy).abs().max()) <= SERIES


@pytest.mark.parametrize("engine", ["fast", "readable"])
def test_offsets_in_ppm_are_those_of_each_tissues_own_field(engine: str) -> None:
    """Whichever tissues share the batch: a mean field would play all of them at offsets of none."""
    waveform, event = block_pulse(0.05, 40.0)
    timeline = timeline_of(
        [(waveform, dataclasses.replace(event, frequency_ppm=2.0, phase_ppm=0.01)), 0.01, SPOILER, MARKER]
    )
    seen: list[tuple[int, int]] = []
    fields = [7.0, 3.0, 7.0, 9.4]
    pool = {"amide": {"f": 0.01, "t1": 1.0, "t2": 0.02, "k": 50, "dw": 2.0}}
    together = solve_pools(
        timeline, tissue(cest_pool=pool, b0=fields), engine=engine, progress=lambda *done: seen.append(done)
    )
    alone = torch.cat([solve_pools(timeline, tissue(cest_pool=pool, b0=[b0]), engine=engine).mz for b0 in fields])
    assert float((together.mz - alone).abs().max()) <= SERIES
    assert seen == [(1, 4), (3, 4), (4, 4)]
