"""Changes of a sequence: what does not fit is refused, and what fits becomes a timeline that plays it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from spinloom.errors import SequenceError
from spinloom.physics.changed_timeline import changed_timeline
from spinloom.physics.sequence_changes import SequenceChanges, checked
from spinloom.physics.sequence_difference import sequence_difference
from spinloom.sequence.timeline import AdcEvent, Timeline
from spinloom.sequence.trajectory import moment_factors, trajectory
from spinloom.testing.timelines import SPOILER, block_pulse, timeline_of

READ = AdcEvent(4, 1e-4, 1e-3, 0.0, 0.0, 0.0, 0.0, None)


@pytest.fixture
def timeline() -> Timeline:
    """Two pulses, a gradient along z, and a readout, in six blocks; the last has 2 ms of silence after its samples."""
    pulse = block_pulse(1e-3, 250.0)
    timeline = timeline_of([pulse, 4e-3, pulse, SPOILER, 1e-3, READ])
    durations = timeline.block_duration.copy()
    durations[-1] += 2e-3
    return replace(timeline, block_duration=durations)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too few pulses": ({"rf_scale": torch.ones(1)}, r"changes.rf_scale has the shape \(1,\), but .* plays 2 RF pulses"),
    "too many blocks": ({"delay": torch.zeros(7)}, r"changes.delay has the shape \(7,\), but .* plays 6 blocks"),
    "gradients of one axis": ({"gradient_scale": torch.ones(6)}, r"give the shape \(3, 6\), in playing order, or a"),
    "not a number": ({"rf_phase": torch.tensor([0.0, math.nan])}, r"changes.rf_phase is nan at \(1,\); give finite"),
    "infinite": ({"rf_offset": math.inf}, r"changes.rf_offset is inf; give finite numbers"),
    "complex": ({"rf_scale": torch.ones(2) * 1j}, "changes.rf_scale holds complex64; give real numbers"),
    "text": ({"rf_scale": "strong"}, "changes.rf_scale is 'strong'; give numbers"),
    "cut pulse": (
        {"delay": torch.tensor([-1e-4, 0, 0, 0, 0, 0])},
        r"takes 0.1 ms from block 1 in playing order, of 1 ms, of which the last 0 ms alone are silent",
    ),
    "cut samples": (
        {"delay": torch.tensor([0, 0, 0, 0, 0, -2.5e-3])},
        r"takes 2.5 ms from block 6 in playing order, of 3.4 ms, of which the last 2 ms .* give at least -0.002 there",
    ),
    "cut gradient": ({"delay": torch.tensor([0, 0, 0, -1e-3, 0, 0])}, "takes 1 ms from block 4"),
    "negative block": ({"delay": torch.tensor([0, -5e-3, 0, 0, 0, 0])}, "takes 5 ms from block 2 .* of 4 ms"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_changes_that_do_not_fit_are_refused_by_name(case: str, timeline: Timeline) -> None:
    given, sentence = REFUSED[case]
    with pytest.raises(SequenceError, match=sentence):
        checked(SequenceChanges(**given), timeline)


def test_silence_may_be_taken_to_the_last(timeline: Timeline) -> None:
    delay = torch.tensor([0, -4e-3, 0, 0, -1e-3, -2e-3], dtype=torch.float64)
    changed = changed_timeline(timeline, SequenceChanges(delay=delay))
    assert changed.duration == pytest.approx(timeline.duration - 7e-3, rel=1e-12)


def test_pulses_that_the_file_holds_once_change_one_by_one(timeline: Timeline) -> None:
    assert timeline.rf[0].amplitude == timeline.rf[1].amplitude
    changes = SequenceChanges(rf_scale=torch.tensor([0.5, 2.0]), rf_phase=0.25, rf_offset=torch.tensor([0.0, 30.0]))
    changed = changed_timeline(timeline, changes)
    pulses = [changed.rf[number] for number in changed.block_rf[changed.block_rf >= 0]]
    assert [pulse.amplitude for pulse in pulses] == [125.0, 500.0]
    assert [pulse.phase_offset for pulse in pulses] == [0.25, 0.25]
    assert [pulse.frequency_offset for pulse in pulses] == [0.0, 30.0]


def test_a_pulse_of_undefined_use_stays_what_it_was(timeline: Timeline) -> None:
    """Both flip by 90 degrees and excite; at 180 degrees the flip alone would tell of refocusing."""
    changed = changed_timeline(timeline, SequenceChanges(rf_scale=2.0))
    assert moment_factors(timeline).tolist() == [0, 0]
    assert moment_factors(changed)[changed.block_rf[[0, 2]]].tolist() == [0, 0]


def test_the_trajectory_scales_with_its_gradients(timeline: Timeline) -> None:
    scale = torch.ones(3, len(timeline), dtype=torch.float64)
    scale[2, 3] = -0.5
    changed = changed_timeline(timeline, SequenceChanges(gradient_scale=scale))
    np.testing.assert_allclose(trajectory(changed), -0.5 * trajectory(timeline), rtol=1e-12)
    assert np.abs(trajectory(timeline)[:, 2]).min() > 1000


def test_the_difference_of_a_sequence_and_its_changes_is_the_changes(timeline: Timeline) -> None:
    """Pulses that differ in use alone are the same to the difference."""
    random = torch.Generator().manual_seed(1)
    scale = torch.ones(3, len(timeline), dtype=torch.float64)
    scale[2, 3] = 1.7
    changes = SequenceChanges(
        rf_scale=torch.rand(2, generator=random, dtype=torch.float64),
        rf_phase=torch.rand(2, generator=random, dtype=torch.float64),
        rf_offset=100 * torch.rand(2, generator=random, dtype=torch.float64),
        delay=1e-3 * torch.rand(6, generator=random, dtype=torch.float64),
        gradient_scale=scale,
    )
    found = sequence_difference(timeline, changed_timeline(timeline, changes))
    for name in changes.names:
        torch.testing.assert_close(getattr(found, name), getattr(changes, name), rtol=1e-12, atol=1e-12)


OTHERS = {
    "blocks": ([block_pulse(1e-3, 250.0), 4e-3, READ, SPOILER, 1e-3, READ], "differ in their blocks"),
    "a longer pulse": (
        [block_pulse(1e-3, 250.0), 4e-3, block_pulse(2e-3, 250.0), SPOILER, 1e-3, READ],
        "the shape or the time of the pulse of block 3",
    ),
    "other samples": (
        [block_pulse(1e-3, 250.0), 4e-3, block_pulse(1e-3, 250.0), SPOILER, 1e-3, replace(READ, dwell=2e-4)],
        "the samples or the receiver of block 6",
    ),
    "a gradient from nothing": (
        [block_pulse(1e-3, 250.0), SPOILER, block_pulse(1e-3, 250.0), SPOILER, 1e-3, READ],
        "a gradient on z that is nothing in the first of block 2",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_differences_that_no_change_can_say_are_refused(case: str, timeline: Timeline) -> None:
    parts, sentence = OTHERS[case]
    with pytest.raises(SequenceError, match=sentence):
        sequence_difference(timeline, timeline_of(parts))
