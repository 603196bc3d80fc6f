"""Facts of a sequence: laws of counting and energy, and what a file says of itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinloom.sequence.facts import sequence_facts
from spinloom.sequence.read import read_sequence, sequence_names
from spinloom.sequence.rf_facts import rf_facts, stated_larmor
from spinloom.sequence.timeline import Timeline
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, timeline_of
from spinloom.units import MICROTESLA, PROTON_GAMMA_BAR

TWO_UT = 2 * MICROTESLA * PROTON_GAMMA_BAR
"""Nutation frequency of 2 uT [Hz]."""


def defining(timeline: Timeline, **definitions: float) -> Timeline:
    return replace(timeline, definitions=definitions)


def test_a_block_pulse_has_one_amplitude_and_the_flip_angle_of_its_area() -> None:
    (pulse,) = rf_facts(timeline_of([block_pulse(1e-3, 250.0), MARKER])).pulses
    assert pulse.b1_mean_ut == pulse.b1_rms_ut == pulse.b1_peak_ut == pytest.approx(250 / PROTON_GAMMA_BAR * 1e6)
    assert pulse.flip_deg == pytest.approx(90.0)


@pytest.mark.parametrize("name", sequence_names())
def test_energy_is_the_same_over_pulses_and_over_the_whole_sequence(name: str) -> None:
    timeline = read_sequence(name)
    facts = rf_facts(timeline)
    assert facts.b1_rms_on_ut**2 * facts.duration == pytest.approx(facts.b1_rms_all_ut**2 * timeline.duration)
    assert facts.blocks == sum(pulse.played for pulse in facts.pulses)


def test_rms_while_rf_is_on_does_not_count_pauses() -> None:
    facts = rf_facts(timeline_of([1.0, block_pulse(1.0, TWO_UT), 2.0]))
    assert facts.b1_rms_on_ut == pytest.approx(2.0)
    assert facts.b1_rms_all_ut == pytest.approx(1.0)


def test_pulses_that_differ_in_phase_and_frequency_alone_are_one() -> None:
    waveform, event = block_pulse(1.0, TWO_UT)
    others = [(waveform, replace(event, frequency_offset=100.0)), (waveform, replace(event, phase_offset=1.0))]
    facts = rf_facts(timeline_of([(waveform, event), *others]))
    assert (facts.waveforms, len(facts.pulses), facts.events, facts.pulses[0].played) == (1, 1, 3, 3)


def test_a_pulse_of_no_amplitude_is_no_rf() -> None:
    facts = rf_facts(timeline_of([block_pulse(1.0, 0.0, 300.0), block_pulse(1.0, TWO_UT, 200.0)]))
    assert (facts.blocks, facts.duration, facts.frequencies_hz) == (1, 1.0, (200.0,))


def test_a_timeline_without_rf_has_zeros_for_it() -> None:
    facts = rf_facts(timeline_of([1.0, MARKER]))
    assert (facts.blocks, facts.b1_peak_ut, facts.b1_rms_on_ut, facts.frequencies_hz) == (0, 0.0, 0.0, ())


@pytest.mark.parametrize(
    ("definitions", "larmor"),
    [({"FREQ": 123.2, "B0": 3.0}, 123.2e6), ({"B0": 3.0}, 3 * PROTON_GAMMA_BAR), ({"B0": 0.0}, None), ({}, None)],
    ids=["FREQ before B0", "B0 alone", "a field of zero", "nothing"],
)
def test_the_field_is_what_the_definitions_state(definitions: dict[str, float], larmor: float | None) -> None:
    assert stated_larmor(defining(timeline_of([1.0]), **definitions)) == larmor


def test_offsets_come_in_ppm_of_the_stated_field() -> None:
    timeline = timeline_of([block_pulse(1.0, TWO_UT, frequency) for frequency in (300.0, -300.0, 300.0)])
    assert rf_facts(timeline).offsets_ppm == ()
    assert rf_facts(defining(timeline, FREQ=100.0)).offsets_ppm == pytest.approx((-3.0, 3.0))


def test_offsets_in_ppm_of_an_unstated_field_are_nan_and_null_in_json() -> None:
    timeline = timeline_of([block_pulse(1.0, TWO_UT), block_pulse(1.0, TWO_UT, 50.0)])
    timeline = replace(timeline, rf=(replace(timeline.rf[0], frequency_ppm=3.5), timeline.rf[1]))
    facts = sequence_facts(timeline)
    assert facts.rf.frequencies_hz[0] == 50.0
    assert math.isnan(facts.rf.frequencies_hz[1])
    assert json.loads(json.dumps(facts.as_dict(), allow_nan=False))["rf"]["frequencies_hz"] == [50.0, None]


def test_gradients_are_counted_and_measured_on_the_axes_that_play_them() -> None:
    facts = sequence_facts(timeline_of([1.0, SPOILER, 1.0, SPOILER])).gradients
    assert (facts.events, facts.blocks) == (1, 2)
    assert facts.peak_mt_m == {"z": pytest.approx(SPOILER.amplitude / PROTON_GAMMA_BAR * 1e3)}


def test_labels_triggers_and_soft_delays_of_a_file_are_told(seq_file: Callable[[str], Path], whole_text: str) -> None:
    facts = sequence_facts(read_sequence(seq_file(whole_text)))
    assert facts.labels == {"LIN": 1, "SLC": 2}
    assert facts.soft_delays == ("TE",)
    assert len(facts.triggers) == 2
    assert facts.adc_samples == 16 * facts.adc_events


@pytest.mark.parametrize("name", sequence_names())
def test_facts_say_which_file_they_are_of(name: str) -> None:
    timeline = read_sequence(name)
    facts = json.loads(json.dumps(sequence_facts(timeline).as_dict(), allow_nan=False))
    assert (facts["sha256"], facts["source"], facts["blocks"]) == (timeline.sha256, timeline.source, len(timeline))
    assert facts["duration"] == pytest.approx(float(np.sum(timeline.block_duration)))
    assert facts["version"] == "1.5.0"
    assert facts["definitions"].get("seq_id_string", name) == name
