"""Shots of imaging sequences, and parts of a timeline that are played by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from spinloom.sequence.parts import part, with_markers
from spinloom.sequence.shots import shots
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence

FAMILIES = {
    "fse": "fse(matrix=16, shots=4, etl=4, esp_ms=8, tr_ms=100)",
    "epi": "epi(matrix=16, esp_ms=0.4, te_ms=10)",
    "moled": "moled(matrix=32, esp_ms=0.5, shift_x=(6,-3,6,-4), shift_y=(8,8,8,-12))",
    "cest_epi": "cest_epi(matrix=16, esp_ms=0.5, pulses=2, pulse_ms=10, recovery_ms=50, largest_ppm=1, step_ppm=1)",
}


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    """A small sequence of each family."""
    return {name: read_sequence(text) for name, text in FAMILIES.items()}


@pytest.mark.parametrize(
    ("family", "count", "excitations", "refocusings", "readouts"),
    [("fse", 4, 1, 4, 4), ("epi", 1, 1, 0, 16), ("moled", 1, 4, 1, 32), ("cest_epi", 4, 1, 0, 16)],
)
def test_a_shot_holds_the_pulses_and_lines_of_its_family(
    timelines: dict[str, Timeline], family: str, count: int, excitations: int, refocusings: int, readouts: int
) -> None:
    found = shots(timelines[family])
    assert len(found) == count
    assert {(s.excitations, s.refocusings, s.other, s.readouts) for s in found} == {
        (excitations, refocusings, 0, readouts)
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_shots_follow_each_other_and_hold_every_line(timelines: dict[str, Timeline], family: str) -> None:
    timeline = timelines[family]
    found = shots(timeline)
    ends = [edge for shot in found for edge in (shot.blocks.start, shot.blocks.stop)]
    assert ends == sorted(ends)
    inside = np.concatenate([np.arange(shot.blocks.start, shot.blocks.stop) for shot in found])
    assert set(np.flatnonzero(timeline.block_adc >= 0)) <= set(inside)
    assert all(timeline.block_adc[shot.blocks.stop - 1] >= 0 for shot in found)


def test_saturation_belongs_to_no_shot(timelines: dict[str, Timeline]) -> None:
    timeline = timelines["cest_epi"]
    uses = np.array([event.use for event in timeline.rf])
    inside = np.concatenate([np.arange(shot.blocks.start, shot.blocks.stop) for shot in shots(timeline)])
    played = timeline.block_rf[inside]
    assert set(uses[played[played >= 0]]) == {"excitation"}


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_put_together_are_the_whole(timelines: dict[str, Timeline], family: str) -> None:
    timeline = timelines[family]
    cut = len(timeline) // 3
    first, second = part(timeline, range(cut)), part(timeline, range(cut, len(timeline)))
    assert first.duration + second.duration == pytest.approx(timeline.duration, rel=1e-12)
    assert first.adc_samples + second.adc_samples == timeline.adc_samples
    assert second.block_start[0] == 0.0
    assert np.array_equal(np.concatenate([first.block_rf, second.block_rf]), timeline.block_rf)
    assert second.block(0).duration == timeline.block(cut).duration


def test_markers_stand_where_they_are_asked_for_and_take_no_time(timelines: dict[str, Timeline]) -> None:
    timeline = timelines["cest_epi"]
    found = shots(timeline)
    begins = np.array([shot.blocks.start for shot in found])
    readouts = np.concatenate([np.arange(shot.blocks.start, shot.blocks.stop) for shot in found])
    marked = with_markers(timeline, begins, readouts)
    assert np.array_equal(np.flatnonzero(marked.block_adc >= 0), begins)
    assert marked.adc_samples == len(found)
    assert marked.duration == timeline.duration
    assert not (marked.block_rf[readouts] >= 0).any()
    assert not (marked.block_gradient[:, readouts] >= 0).any()
    kept = np.delete(np.arange(len(timeline)), readouts)
    assert np.array_equal(marked.block_rf[kept], timeline.block_rf[kept])


def test_a_sequence_without_excitation_has_no_shots() -> None:
    timeline = read_sequence("cest_epi(matrix=16, esp_ms=0.5, pulses=1, pulse_ms=10, largest_ppm=1, step_ppm=1)")
    saturated = with_markers(timeline, np.array([0]), np.arange(len(timeline)))
    assert shots(saturated) == ()
