"""Playing timelines on tissues: against an independent ODE, closed forms, and laws of the frame."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinloom.physics.accuracy import choose_sampling
from spinloom.physics.players import player_of
from spinloom.physics.propagation import Propagators, play
from spinloom.sequence.steps import step_program
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.testing.reference import reference_signal
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, rf_event, timeline_of
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue, Water

ODE = 1e-8
"""The reference integrates with a relative tolerance of 1e-11 a step; hundreds of steps leave about 1e-9."""


def t(values) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float64).reshape(-1)


def tissue_of(
    batch=1, *, t1=1.2, t2=0.06, k=300.0, shift=2.0, mt=True, reset=True, scale=1.0, b0_shift=0.0, rel_b1=1.0
):
    full = lambda value: t(value).expand(batch).clone()  # noqa: E731
    semisolid = SemisolidPool("mt", full(0.1), full(1.0), full(1e-5), full(30.0), full(-3.0), "lorentzian")
    return Tissue(
        "test",
        Water(full(1.0), full(t1), full(t2)),
        (ExchangingPool("solute", full(0.02), full(1.0), full(0.01), full(k), full(shift)),),
        (semisolid,) if mt else (),
        full(3.0),
        full(267.5153e6),
        full(b0_shift),
        full(rel_b1),
        full(scale),
        reset,
        500,
    )


def solve(timeline: Timeline, tissue: Tissue, cells=None, dtype=torch.float64):
    return play(Propagators(timeline, tissue, cells).moves(step_program(timeline)), tissue, dtype)


def sinc(cells: int, duration: float = 0.02) -> RfWaveform:
    time = (np.arange(cells) + 0.5) / cells - 0.5
    values = (0.85 + 0.15 * np.cos(2 * np.pi * time)) * np.sinc(2 * time) * np.exp(0.3j * time)
    return RfWaveform(np.full(cells, duration / cells), values, exact=True)


pulses = st.tuples(st.floats(1e-3, 2e-2), st.floats(0, 200), st.floats(-600, 600), st.floats(-3, 3))


@given(
    train=st.lists(pulses, min_size=1, max_size=3),
    delay=st.floats(1e-3, 0.05),
    spoil=st.booleans(),
    reset=st.booleans(),
    b0_shift=st.floats(-0.5, 0.5),
    rel_b1=st.floats(0.5, 1.5),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_train_agrees_with_an_ode_in_the_larmor_frame(train, delay, spoil, reset, b0_shift, rel_b1) -> None:
    """The ODE lets RF turn as in the coil, so frames and phases of the engine are tested along with the physics."""
    parts = []
    for _ in range(2):
        for duration, amplitude, frequency, phase in train:
            parts += [block_pulse(duration, amplitude, frequency, phase), delay]
        parts += [SPOILER] * spoil + [MARKER]
    tissue = tissue_of(reset=reset, b0_shift=b0_shift, rel_b1=rel_b1, scale=0.7)
    timeline = timeline_of(parts)
    mz, mxy = solve(timeline, tissue)
    expected_mz, expected_mxy = reference_signal(timeline, tissue)
    assert np.abs(mz[0].numpy() - expected_mz).max() <= ODE
    assert np.abs(mxy[0].numpy() - expected_mxy).max() <= ODE


def test_a_shaped_pulse_agrees_with_the_ode_sample_by_sample() -> None:
    timeline = timeline_of([(sinc(24), rf_event(80.0, 250.0, 0.4)), 0.01, MARKER])
    mz, mxy = solve(timeline, tissue_of())
    expected_mz, expected_mxy = reference_signal(timeline, tissue_of())
    assert abs(float(mz[0, 0]) - expected_mz[0]) <= ODE
    assert abs(complex(mxy[0, 0]) - expected_mxy[0]) <= ODE


def test_inversion_recovery_follows_the_exponential_of_t1() -> None:
    delay, t1 = 0.7, 1.2
    timeline = timeline_of([block_pulse(1e-7, 5e6), delay, MARKER])
    mz, _ = solve(timeline, tissue_of(t1=t1, k=0.0, mt=False))
    assert float(mz) == pytest.approx(1 - 2 * math.exp(-delay / t1), abs=1e-6)  # the pulse lasts 1e-7 of T1


def test_free_induction_decays_with_t2_and_turns_with_the_field_shift() -> None:
    delay, t2, shift = 0.03, 0.06, 0.2
    timeline = timeline_of([block_pulse(1e-7, 2.5e6), delay, MARKER])
    tissue = tissue_of(t2=t2, k=0.0, mt=False, b0_shift=shift)
    _, mxy = solve(timeline, tissue)
    turn = 2 * math.pi * float(tissue.larmor) * shift * 1e-6 * delay
    assert complex(mxy) == pytest.approx(1j * np.exp(-delay / t2 + 1j * turn), abs=2e-5)  # 1e-7 s of T2 and of turn


def test_a_positive_field_shift_moves_the_dip_to_positive_offset() -> None:
    offsets = np.arange(-1.0, 1.01, 0.1)
    larmor = float(tissue_of().larmor)
    parts = []
    for offset in offsets:
        parts += [block_pulse(1.0, 20.0, offset * larmor * 1e-6), SPOILER, MARKER]
    mz, _ = solve(timeline_of(parts), tissue_of(mt=False, k=0.0, b0_shift=0.5))
    assert offsets[int(mz.argmin())] == pytest.approx(0.5, abs=1e-9)


def test_magnetisation_may_be_reported_negative() -> None:
    mz, _ = solve(timeline_of([block_pulse(1e-6, 5e5), MARKER]), tissue_of(mt=False))
    assert float(mz) == pytest.approx(-1.0, abs=1e-3)


@pytest.mark.parametrize("reset", [pytest.param(True, id="reset"), pytest.param(False, id="carried over")])
def test_measurements_repeat_only_when_magnetisation_is_reset(reset: bool) -> None:
    once = [block_pulse(0.05, 100.0, 300.0), SPOILER, MARKER]
    mz, _ = solve(timeline_of([*once, 0.3, *once]), tissue_of(reset=reset))
    difference = abs(float(mz[0, 0] - mz[0, 1]))
    assert difference <= 1e-12 if reset else difference > 0.01  # recovery at equilibrium rounds


def test_spoiling_leaves_longitudinal_magnetisation_alone() -> None:
    pulse = block_pulse(0.01, 25.0)
    spoiled_mz, spoiled = solve(timeline_of([pulse, SPOILER, MARKER]), tissue_of())
    mz, mxy = solve(timeline_of([pulse, SPOILER.duration, MARKER]), tissue_of())
    assert float((spoiled_mz - mz).abs()) <= 1e-15
    assert abs(complex(spoiled)) == 0.0
    assert abs(complex(mxy)) > 0.1


def test_cutting_a_pulse_in_two_with_continued_phase_changes_nothing() -> None:
    """The second half begins at phase 2 pi f T/2, because each pulse starts at its own phase offset."""
    duration, frequency = 0.02, 137.0
    whole = timeline_of([block_pulse(duration, 60.0, frequency), MARKER])
    halves = timeline_of(
        [
            block_pulse(duration / 2, 60.0, frequency),
            block_pulse(duration / 2, 60.0, frequency, 2 * math.pi * frequency * duration / 2),
            MARKER,
        ]
    )
    for one, other in zip(solve(whole, tissue_of()), solve(halves, tissue_of()), strict=True):
        assert float((one - other).abs().max()) <= 1e-13


def test_ppm_terms_of_the_file_scale_with_the_tissues_larmor_frequency() -> None:
    waveform, event = block_pulse(0.02, 60.0)
    in_ppm = type(event)(**{**vars(event), "frequency_ppm": 3.5, "phase_ppm": 0.01})
    larmor = float(tissue_of().larmor)
    in_hertz = type(event)(**{**vars(event), "frequency_offset": 3.5e-6 * larmor, "phase_offset": 1e-8 * larmor})
    for one, other in zip(
        solve(timeline_of([(waveform, in_ppm), MARKER]), tissue_of()),
        solve(timeline_of([(waveform, in_hertz), MARKER]), tissue_of()),
        strict=True,
    ):
        assert float((one - other).abs().max()) <= 1e-14


def test_sampling_converges_with_fourth_order() -> None:
    timeline = timeline_of([(sinc(4096), rf_event(80.0, 250.0)), MARKER])
    exact, _ = solve(timeline, tissue_of())
    errors = [float((solve(timeline, tissue_of(), cells)[0] - exact).abs()) for cells in (32, 64, 128)]
    orders = [math.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert all(3.7 < order < 4.3 for order in orders), orders


@pytest.mark.parametrize("engine", ["fast", "readable"])
@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_chosen_sampling_keeps_the_error_that_was_asked_for(rtol: float, engine: str) -> None:
    timeline = timeline_of([*[(sinc(4096), rf_event(80.0, 250.0)), 0.005] * 5, SPOILER, MARKER])
    player = player_of(engine, step_program(timeline), timeline, tissue_of(), rtol, torch.float64)
    sampling = choose_sampling(player.play, 4096, tissue_of(), rtol)
    exact, _ = solve(timeline, tissue_of())
    assert float((player.play(tissue_of(), sampling.cells)[0] - exact).abs().max()) <= rtol


def test_a_batch_gives_each_tissue_what_it_gets_alone_in_any_order() -> None:
    timeline = timeline_of([(sinc(64), rf_event(80.0, 250.0)), 0.01, MARKER])
    t1 = [0.8, 1.0, 1.4, 2.0]
    together, _ = solve(timeline, tissue_of(4, t1=t1))
    backwards, _ = solve(timeline, tissue_of(4, t1=t1[::-1]))
    alone = torch.cat([solve(timeline, tissue_of(t1=value))[0] for value in t1])
    assert float((together - backwards.flip(0)).abs().max()) <= 1e-14
    assert float((together - alone).abs().max()) <= 1e-14


def test_single_precision_stays_within_its_rounding() -> None:
    timeline = timeline_of([*[(sinc(64), rf_event(80.0, 250.0)), 0.01] * 20, MARKER])
    exact, _ = solve(timeline, tissue_of())
    single, _ = solve(timeline, tissue_of(), dtype=torch.float32)
    assert single.dtype == torch.float32
    assert float((exact - single).abs().max()) <= 60 * torch.finfo(torch.float32).eps  # sixty roundings in forty steps


def test_gradients_with_respect_to_the_tissue_agree_with_finite_differences() -> None:
    timeline = timeline_of([(sinc(16), rf_event(80.0, 250.0)), 0.01, MARKER])

    def signal(t1, t2, k, shift, b0_shift, rel_b1):
        return solve(timeline, tissue_of(t1=t1, t2=t2, k=k, shift=shift, b0_shift=b0_shift, rel_b1=rel_b1))[0]

    at = [1.2, 0.06, 300.0, 2.0, 0.1, 1.1]
    inputs = tuple(torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in at)
    assert torch.autograd.gradcheck(signal, inputs, eps=1e-5, atol=1e-7, rtol=1e-4)
