"""The order in which spins without a place meet a timeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypulseq as pp
import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.atoms import FREE, MAX_SAMPLES
from spinloom.sequence.read import read_sequence
from spinloom.sequence.steps import Free, MeasurementEnd, Pulse, Sample, Spoil, StepProgram, step_program
from spinloom.sequence.timeline import Timeline

SYSTEM = pp.Opts(rf_dead_time=100e-6, rf_ringdown_time=30e-6)
PULSE = pp.make_block_pulse(np.pi, duration=2e-3, delay=1e-4, system=SYSTEM)
MARKER = pp.make_adc(1, dwell=1e-3)
READOUT = pp.make_adc(4, dwell=1e-4, delay=5e-4)
SPOILER = pp.make_trapezoid("z", amplitude=4e5, flat_time=4e-3, rise_time=5e-4)

Play = Callable[..., Timeline]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """The timeline of a sequence with these blocks."""

    def timeline(*blocks: object) -> Timeline:
        sequence = pp.Sequence(SYSTEM)
        for block in blocks:
            sequence.add_block(*(block if isinstance(block, tuple) else (block,)))
        sequence.write(str(tmp_path / "steps.seq"))
        return read_sequence(tmp_path / "steps.seq")

    return timeline


def free_time(program: StepProgram) -> float:
    return sum(step.duration for step in program.steps if isinstance(step, Free))


def test_dead_time_and_ring_down_are_free_precession(play: Play) -> None:
    program = step_program(play(PULSE, pp.make_delay(5e-3), MARKER))
    assert program.steps == (Free(1e-4), Pulse(0), Free(5.03e-3), Sample(0), MeasurementEnd())


def test_neighbouring_delays_are_one_step(play: Play) -> None:
    assert step_program(play(*[pp.make_delay(1e-3)] * 7, MARKER)).steps[0] == Free(7e-3)


def test_steps_last_as_long_as_the_sequence(play: Play) -> None:
    timeline = play(PULSE, READOUT, pp.make_delay(1e-3), PULSE, READOUT)
    program = step_program(timeline)
    pulses = sum(isinstance(step, Pulse) for step in program.steps) * timeline.waveforms[0].duration
    after_last = timeline.duration - program.time[-1]
    assert free_time(program) + pulses + after_last == pytest.approx(timeline.duration, rel=1e-12)


def test_samples_of_a_readout_are_taken_at_the_middles_of_their_dwell(play: Play) -> None:
    program = step_program(play(pp.make_delay(1e-3), READOUT))
    np.testing.assert_allclose(program.time, 1.5e-3 + np.array([0.5, 1.5, 2.5, 3.5]) * 1e-4)
    assert program.measurement.tolist() == [0, 0, 0, 0]
    assert [step.index for step in program.steps if isinstance(step, Sample)] == [0, 1, 2, 3]


def test_a_readout_of_one_sample_is_a_marker_and_records_at_its_begin(play: Play) -> None:
    """Saturation files mark their measurements so; half a dwell of a millisecond later Mz differs by 1e-3 and more."""
    program = step_program(play(pp.make_delay(1e-3), MARKER, pp.make_delay(1e-3), MARKER))
    np.testing.assert_allclose(program.time, [1e-3, 3e-3])
    assert program.measurement.tolist() == [0, 1]


def test_what_comes_after_a_sample_in_its_block_counts_for_the_next_measurement(play: Play) -> None:
    program = step_program(play(MARKER, pp.make_delay(1e-3), MARKER))
    assert program.steps == (Sample(0), MeasurementEnd(), Free(2e-3), Sample(1), MeasurementEnd())


def test_a_gradient_alone_that_dephases_a_millimetre_spoils(play: Play) -> None:
    program = step_program(play(PULSE, SPOILER, MARKER))
    assert Spoil() in program.steps
    assert any("Spoiling is ideal: 1 gradient block" in note for note in program.notes)


def test_a_weak_gradient_and_one_with_rf_or_adc_is_passed_over_and_said_to_be(play: Play) -> None:
    weak = pp.make_trapezoid("x", area=500.0, duration=5e-3)
    strong = pp.make_trapezoid("z", flat_area=5000.0, flat_time=10e-3)
    program = step_program(play(weak, (PULSE, strong), (READOUT, strong)))
    assert Spoil() not in program.steps
    assert any("Gradients of 3 blocks encode position" in note for note in program.notes)


def test_columns_and_single_steps_say_the_same(play: Play) -> None:
    program = step_program(play(PULSE, SPOILER, READOUT, pp.make_delay(1e-3), PULSE, MARKER))
    kinds = [Pulse, Free, Spoil, Sample, MeasurementEnd]
    assert [kinds[kind] for kind in program.kind] == [type(step) for step in program.steps]
    waits = [step.duration for step in program.steps if isinstance(step, Free)]
    np.testing.assert_array_equal(program.durations[program.index[program.kind == FREE]], waits)
    assert np.all(np.diff(program.durations) > 0)


def test_the_table_of_pulses_holds_the_numbers_of_each(play: Play) -> None:
    other = pp.make_block_pulse(1.0, duration=1e-3, delay=1e-4, freq_offset=90, phase_offset=0.5, system=SYSTEM)
    timeline = play(PULSE, other, PULSE)
    for number, event in enumerate(timeline.rf):
        assert {name: column[number] for name, column in timeline.rf_table.items()} == {
            name: value for name, value in vars(event).items() if name != "use"
        }


def test_triggers_and_soft_delays_are_noted(play: Play) -> None:
    soft = pp.make_soft_delay("TE", default_duration=5e-3)
    program = step_program(play(pp.make_trigger("physio1", duration=2e-3), soft, MARKER))
    assert program.notes == ("Triggers are taken to fire at once.", "Soft delays last as long as their blocks.")
    assert program.time[0] == pytest.approx(7e-3)


def test_an_adc_event_under_a_pulse_is_refused_with_its_block(play: Play) -> None:
    with pytest.raises(
        SequenceError, match=r"block 2 in playing order samples while its RF pulse plays.* move the ADC"
    ):
        step_program(play(pp.make_delay(1e-3), (PULSE, READOUT)))


def test_an_adc_event_before_or_after_the_pulse_of_its_block_is_played_in_order(play: Play) -> None:
    late = pp.make_adc(2, dwell=1e-4, delay=2.1e-3)
    early = pp.make_adc(1, dwell=1e-4, delay=1e-4)
    kinds = [type(step) for step in step_program(play((PULSE, late))).steps]
    assert kinds == [Free, Pulse, Free, Sample, Free, Sample, MeasurementEnd]
    kinds = [type(step) for step in step_program(play((PULSE, early))).steps]
    assert kinds == [Free, Sample, Pulse, MeasurementEnd]


@pytest.mark.parametrize("rounding", [-1e-12, 0.0, 1e-12])
def test_a_sample_at_the_very_end_of_a_pulse_is_after_it(rounding: float, play: Play) -> None:
    """The end of a pulse is a sum of its segments, which rounds; the sample must not fall under the pulse by that."""
    timeline = play((PULSE, pp.make_adc(1, dwell=1e-5, delay=2.1e-3)))
    adc = dataclasses.replace(timeline.adcs[0], delay=timeline.adcs[0].delay + rounding)
    steps = step_program(dataclasses.replace(timeline, adcs=(adc,))).steps
    assert [type(step) for step in steps if not isinstance(step, Free)] == [Pulse, Sample, MeasurementEnd]


def test_too_many_samples_are_refused_before_memory_is_full(play: Play) -> None:
    timeline = play(MARKER)
    giant = dataclasses.replace(timeline.adcs[0], samples=MAX_SAMPLES + 1)
    with pytest.raises(SequenceError, match=r"takes 1,000,001 ADC samples.* Shorten its ADC events"):
        step_program(dataclasses.replace(timeline, adcs=(giant,)))


def test_a_sequence_without_readouts_has_no_samples(play: Play) -> None:
    program = step_program(play(PULSE))
    assert (program.time.size, program.measurement.size) == (0, 0)
