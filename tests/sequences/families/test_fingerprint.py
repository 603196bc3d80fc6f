"""Fingerprints play what they say, whole turns make signals smooth, and published schedules are as published."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import spinloom
from spinloom import read_sequence, saturation_protocol
from spinloom.sequences.cest_fingerprint.schedules import AMPLITUDES_UT
from spinloom.units import PROTON_GAMMA_BAR

LARMOR = 9.4 * PROTON_GAMMA_BAR


def signals(sequence: str) -> torch.Tensor:
    """|Mxy| of the shipped L-arginine at each point."""
    signal = spinloom.simulate(sequence=sequence, tissue="larginine_phantom_9p4t", simulator="cest")
    return signal.mxy.reshape(-1, signal.mxy.shape[-1])[0, torch.from_numpy(signal.first_samples())].abs()


def test_points_lie_within_their_ranges_and_some_are_left_without_saturation() -> None:
    asked = "points=200, smallest_b1_ut=1, largest_b1_ut=2, without=0.25, smallest_ppm=6, largest_ppm=14"
    found = saturation_protocol(read_sequence(f"cest_fingerprint({asked})"), LARMOR)
    played = found.pulses > 0
    # binomial: 50 of 200 give or take 6
    assert 30 < (~played).sum() < 70
    assert found.b1[played].min() >= 1 - 1e-5
    assert found.b1[played].max() <= 2 + 1e-5
    offset = found.frequency[played] / (LARMOR * 1e-6)
    assert offset.min() >= 6 - 1e-4
    assert offset.max() <= 14 + 1e-4


def test_a_schedule_without_gaps_is_the_same_whether_gaps_could_be_asked_for_or_not() -> None:
    plain, gaps = (
        saturation_protocol(read_sequence(f"cest_fingerprint(schedule=7, without={share})"), LARMOR)
        for share in (0.0, 0.3)
    )
    kept = gaps.pulses > 0
    np.testing.assert_allclose(gaps.b1[kept], plain.b1[kept], rtol=1e-9)


@pytest.mark.parametrize("field", [3.0, 9.4, 11.7])
@pytest.mark.parametrize("offset", [-3.5, 2.75, 14.0])
def test_whole_turns_end_every_saturation_on_one(offset: float, field: float) -> None:
    asked = f"points=3, smallest_ppm={offset}, largest_ppm={offset}, field_t={field}, saturation_ms=2345.67"
    found = saturation_protocol(read_sequence(f"cest_fingerprint({asked}, whole_turns=true)"), field * PROTON_GAMMA_BAR)
    turns = found.frequency * found.saturation
    # a pulse ends on a microsecond, which is 0.004 of a turn of the fastest offset here, 7 kHz
    np.testing.assert_allclose(turns, np.round(turns), atol=0.005)
    assert abs(found.saturation - 2.34567).max() <= 0.5 / abs(found.frequency).min() + 1e-6


def test_whole_turns_make_signals_smooth_in_the_duration_of_the_saturation() -> None:
    """Half a turn more, 0.4 ms of 3 s, changes relaxation by 1e-4, and yet signals by far more, but for whole turns."""
    asked = "cest_fingerprint(points=10, saturation_ms={}, whole_turns={})"
    rough, smooth = (
        (signals(asked.format(3000.2, turns)) - signals(asked.format(3000.0, turns))).abs().max()
        for turns in ("false", "true")
    )
    assert rough > 0.01
    assert smooth < 1e-3


def test_the_published_l_arginine_schedule_is_that_of_the_shipped_file() -> None:
    ours = "cest_schedule(schedule=larginine, saturation_ms=3000, recovery_ms=1000, flip_deg=60)"
    mine, shipped = (saturation_protocol(read_sequence(source), LARMOR) for source in (ours, "mrf_larginine_9p4t"))
    for name in ("b1", "saturation", "flip", "frequency"):
        # numbers of a file carry six digits
        np.testing.assert_allclose(getattr(mine, name), getattr(shipped, name), rtol=2e-5, atol=1e-6, err_msg=name)
    # recovery is counted from the end of the pulse here and from that of its block there, 0.13 ms apart
    np.testing.assert_allclose(mine.recovery, shipped.recovery, atol=2e-4)


@pytest.mark.parametrize("schedule", AMPLITUDES_UT)
def test_a_schedule_plays_its_amplitudes(schedule: str) -> None:
    found = saturation_protocol(read_sequence(f"cest_schedule(schedule={schedule}, whole_turns=true)"), LARMOR)
    np.testing.assert_allclose(found.b1, AMPLITUDES_UT[schedule], rtol=1e-5)
