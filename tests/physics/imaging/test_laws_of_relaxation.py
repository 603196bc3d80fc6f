"""Closed forms of relaxation and steady states, met by both imaging engines in double precision.

Phantoms have 576 voxels, more than the fast engine's smallest; tables and readouts are interpolated to 1e-10.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

pytestmark = pytest.mark.parametrize("engine", ["fast", "readable"])

TIGHT = 1e-7
"""Hard pulses last a nanosecond, in which T2 of 10 ms decays by 1e-7."""


def signal(timeline: Timeline, subject: Phantom, engine: str, **options: Any) -> np.ndarray:
    """Samples, shape `(coils, samples)`."""
    solution = solve_phantom(timeline, subject, rtol=1e-10, dtype=torch.float64, engine=engine, **options)
    found: np.ndarray = solution.samples.numpy()
    return found


@pytest.mark.parametrize(("phase", "expected"), [(0, 1j), (90, -1), (180, -1j), (270, 1)])
def test_rf_along_x_turns_z_towards_y(train: Any, phantom: Any, engine: str, phase: float, expected: complex) -> None:
    found = signal(train.pulse(30, phase).read().timeline(), phantom(), engine)
    np.testing.assert_allclose(found, [[0.5 * expected]], atol=TIGHT)


def test_free_induction_decays_with_t2_and_turns_with_the_field(train: Any, phantom: Any, engine: str) -> None:
    subject = phantom(t2=0.04, b0=23.0)
    found = signal(train.pulse(90).wait(3e-3).read(20, 1e-3).timeline(), subject, engine)
    time = 3e-3 + (np.arange(20) + 0.5) * 1e-3
    np.testing.assert_allclose(found[0], 1j * np.exp(-time / 0.04 + 2j * np.pi * 23 * time), atol=TIGHT)


def test_a_spin_echo_refocuses_the_field_and_decays_with_t2(train: Any, phantom: Any, engine: str) -> None:
    spread = torch.linspace(-150, 150, 24, dtype=torch.float64)
    echo = train.pulse(90).wait(0.02).pulse(180, 90, "refocusing").wait(0.02).read().timeline()
    found = signal(echo, phantom(t2=0.06, b0=spread), engine)
    np.testing.assert_allclose(found, [[1j * np.exp(-0.04 / 0.06)]], atol=1e-6)  # 150 Hz for 2 ns


def test_spoiled_steady_states_follow_ernst(train: Any, phantom: Any, watch: Any, engine: str) -> None:
    """T2 is so short that nothing transverse lives until the next pulse (e^-25); B1+ makes the flip angles."""
    tr, t1, b1 = 0.1, 0.5, np.linspace(0.1, 1.5, 24)
    angle = np.radians(60) * b1
    subject = phantom(t1=t1, t2=4e-3, b1=torch.from_numpy(b1), coils=watch([*range(24)]))
    found = signal(train.pulse(60).read().wait(tr).again(90).timeline(), subject, engine)[:, -1]
    recovery = np.exp(-tr / t1)
    expected = np.sin(angle) * (1 - recovery) / (1 - recovery * np.cos(angle))
    np.testing.assert_allclose(found, 1j * expected, atol=1e-6)  # pulses of T2 4 ms; e^-18 of the beginning
    assert abs(angle[np.argmax(np.abs(found))] - np.arccos(recovery)) < angle[1] - angle[0]


def test_balanced_steady_states_follow_their_closed_form(train: Any, phantom: Any, watch: Any, engine: str) -> None:
    """Alternating pulses; at every frequency, banding included (Freeman and Hill 1971)."""
    tr, t1, t2, angle = 0.01, 0.1, 0.05, np.radians(50)
    b0 = np.linspace(-60, 60, 24)
    subject = phantom(t1=t1, t2=t2, b0=torch.from_numpy(b0), coils=watch([*range(24)]))
    pair = train.pulse(50).wait(tr / 2).read().wait(tr / 2).pulse(50, 180).wait(tr / 2).read().wait(tr / 2)
    found = signal(pair.again(130).timeline(), subject, engine)[:, -2]
    e1, e2, turn = np.exp(-tr / t1), np.exp(-tr / t2), 2 * np.pi * b0 * tr + np.pi
    below = (1 - e1 * np.cos(angle)) * (1 - e2 * np.cos(turn)) - e2 * (e1 - np.cos(angle)) * (e2 - np.cos(turn))
    after = (1 - e1) * np.sin(angle) * np.abs(1 - e2 * np.exp(1j * turn)) / below
    np.testing.assert_allclose(np.abs(found), after * np.exp(-tr / 2 / t2), atol=1e-6)  # e^(-2.6 s / 0.1 s) and pulses


def test_complete_recovery_is_an_infinite_repetition_time(train: Any, phantom: Any, engine: str) -> None:
    """A refocusing pulse after a readout goes on with the train."""
    shot = train.pulse(70).wait(4e-3, x=20.0)
    for _ in range(2):
        shot = shot.pulse(150, 90, "refocusing").wait(4e-3, x=20.0).read(4, 1e-5, x=3.0).wait(4e-3, x=8.0)
    shot.wait(1e-3).again(3)
    short = shot.timeline()
    durations = np.where(np.isclose(short.block_duration, 1e-3), 40.0, short.block_duration)
    long = type(short)(**{**vars(short), "block_duration": durations})
    subject = phantom(b0=torch.linspace(-30, 30, 24, dtype=torch.float64), b1=0.9)
    recovered = signal(short, subject, engine, complete_recovery=True)
    np.testing.assert_allclose(recovered, signal(long, subject, engine), atol=1e-12)  # e^-40
    assert np.abs(recovered - signal(short, subject, engine)).max() > 0.1
