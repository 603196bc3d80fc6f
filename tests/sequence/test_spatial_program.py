"""Lowering for spins with a place keeps time and moments, and refuses what cannot be played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import spinloom
from spinloom.errors import SequenceError
from spinloom.sequence.spatial_program import spatial_program
from spinloom.sequence.spatial_steps import ReadStep, RestoreStep, RfStep, SpanStep, SpatialProgram
from spinloom.sequence.timeline import AdcEvent, GradientEvent, RfShim, Rotation, SoftDelay, Timeline, Trigger
from spinloom.sequence.trajectory import trajectory
from spinloom.testing.timelines import SPOILER, block_pulse, timeline_of

EPI = "epi(matrix=16, te_ms=12)"
FSE = "fse(matrix=16, shots=4, etl=4)"
ECHO = AdcEvent(8, 1e-5, 2e-4, 0.0, 0.0, 0.0, 0.0, None)


@pytest.fixture(scope="module", params=[EPI, "epi(matrix=16, te_ms=12, ramp_sampling=true, rf=sinc)", FSE])
def timeline(request: pytest.FixtureRequest) -> Timeline:
    return spinloom.read_sequence(request.param)


def reads(program: SpatialProgram) -> Iterator[tuple[ReadStep, float, np.ndarray]]:
    """Each read with the time [s] and the moment [cycles/m] that passed before the middle of its samples."""
    clock, moment = 0.0, np.zeros(3)
    for step in program.steps:
        match step:
            case SpanStep(duration, change):
                clock, moment = clock + duration, moment + change
            case RfStep(pulse):
                played = program.pulses[pulse]
                clock, moment = clock + played.duration, moment + played.durations @ played.gradient
            case ReadStep():
                yield step, clock, moment


@pytest.mark.parametrize("longest", [np.inf, 5e-5], ids=["whole readouts", "readouts in parts"])
def test_every_sample_is_taken_when_the_file_takes_it(timeline: Timeline, longest: float) -> None:
    program = spatial_program(timeline, longest=longest)
    for step, clock, _ in reads(program):
        times = program.readouts[step.readout].times
        taken = program.time[step.sample : step.sample + times.size]
        np.testing.assert_allclose(clock + times, taken, rtol=0, atol=1e-9)  # steps round to 1e-12, hundreds of them


@pytest.mark.parametrize("longest", [np.inf, 5e-5], ids=["whole readouts", "readouts in parts"])
def test_moments_after_a_single_excitation_are_the_trajectory(longest: float) -> None:
    timeline = spinloom.read_sequence(EPI)
    program, expected = spatial_program(timeline, longest=longest), trajectory(timeline)
    for step, _, moment in reads(program):
        moments = moment + program.readouts[step.readout].moments
        found = expected[step.sample : step.sample + len(moments)]
        np.testing.assert_allclose(moments, found, rtol=0, atol=1e-6)  # of 300 cycles/m, from sums of 200 spans


def test_what_repeats_stands_once(timeline: Timeline) -> None:
    program = spatial_program(timeline)
    assert len(program.pulses) == len({step.pulse for step in program.steps if isinstance(step, RfStep)}) <= 2
    assert len(program.readouts) <= 4  # forwards and backwards, and where the first or the last lack a blip


def test_a_rotation_about_z_turns_moments_from_x_to_y() -> None:
    gradient = GradientEvent("trapezoid", 2e4, 0.0, (0.0, 1e-4, 5e-4, 6e-4), None, None, False, 0.0, 0.0, 1e-5)
    plain = timeline_of([block_pulse(1e-4, 2500.0), gradient, ECHO])
    turn = Rotation((np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)))
    along_x = replace(plain, block_gradient=plain.block_gradient[[2, 0, 1]])
    turned = replace(along_x, extensions=((turn,),), block_extension=np.array([-1, 0, -1]))
    (_, _, before), (_, _, after) = (next(reads(spatial_program(each))) for each in (along_x, turned))
    np.testing.assert_allclose(after, [0, before[0], 0], atol=1e-12)
    assert before[0] == pytest.approx(gradient.moment)


def test_recovery_is_complete_before_excitations_alone() -> None:
    program = spatial_program(spinloom.read_sequence(FSE), complete_recovery=True)
    events = [step for step in program.steps if isinstance(step, RfStep | RestoreStep)]
    after = [events[place + 1] for place, step in enumerate(events) if isinstance(step, RestoreStep)]
    assert after == [events[0]] * 3  # four shots, the first of which is at equilibrium anyhow


def test_samples_before_a_pulse_of_the_same_block_come_first() -> None:
    both = timeline_of([block_pulse(1e-4, 2500.0), ECHO])
    late = replace(both.rf[0], delay=1e-3)
    one = replace(
        both,
        rf=(late,),
        block_duration=np.array([2e-3]),
        block_rf=np.array([0]),
        block_gradient=both.block_gradient[:, :1],
        block_adc=np.array([0]),
        block_extension=np.array([-1]),
    )
    kinds = [type(step) for step in spatial_program(one).steps]
    assert kinds == [SpanStep, ReadStep, SpanStep, RfStep]
    with pytest.raises(SequenceError, match="block 1 in playing order samples while its RF pulse plays"):
        spatial_program(replace(one, rf=(replace(late, delay=2.2e-4),)))


def test_extensions_are_played_or_said_or_refused() -> None:
    timeline = timeline_of([block_pulse(1e-4, 2500.0), SPOILER, ECHO])

    def with_items(*items: object) -> Timeline:
        return replace(timeline, extensions=(items,), block_extension=np.array([-1, 0, -1]))

    noted = with_items(Trigger("output", 1, 0.0, 1e-4), SoftDelay(0, 0.0, 1.0, "TE"))
    assert spatial_program(noted).notes == (
        "Triggers are taken to fire at once.",
        "Soft delays last as long as their blocks.",
    )
    with pytest.raises(SequenceError, match="RF shim"):
        spatial_program(with_items(RfShim((1.0, 1j))))
