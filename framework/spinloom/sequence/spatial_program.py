"""Lower a timeline to the steps of spins with a place: what a distinct block does is worked out once.

A block's visit is the list of its events, each with the time and the gradient moment that pass before it.  Blocks
without events only let time and moment pass, and are added up between events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.events import rotation_in
from spinloom.sequence.extension_notes import extension_notes
from spinloom.sequence.moments import block_moment, whole_moments
from spinloom.sequence.spatial_events import SAME_TIME, pulse_of, readouts_of
from spinloom.sequence.spatial_steps import (
    DIGITS,
    ReadStep,
    RestoreStep,
    RfStep,
    SpanStep,
    SpatialProgram,
    SpatialPulse,
    SpatialReadout,
    SpatialStep,
)
from spinloom.sequence.timeline import AdcEvent, Block, RfEvent, Timeline
from spinloom.sequence.trajectory import moment_factors
from spinloom.sequence.transmit import refuse_rf_shims

NO_MOMENT = 1e-8
"""Moments below this are rounding [cycles/m]: 1e-8 turns over a metre."""


def spatial_program(
    timeline: Timeline, larmor: float = 0.0, longest: float = np.inf, complete_recovery: bool = False
) -> SpatialProgram:
    """Lower a timeline to the steps that spins with a place play.

    larmor: Larmor frequency [Hz], which ppm terms of pulses and receivers refer to
    longest: readouts are cut into parts of at most this length [s]
    complete_recovery: whether magnetisation returns to equilibrium before the first pulse after a readout that does
        not refocus

    Raises `SequenceError` where an ADC event samples while a pulse plays, and for RF shims.
    """
    refuse_rf_shims(timeline)
    played = np.flatnonzero((timeline.block_rf >= 0) | (timeline.block_adc >= 0))
    restores = np.append(moment_factors(timeline) != -1, False)[timeline.block_rf] & complete_recovery
    distinct, steps = _Distinct(timeline, larmor, longest), _Steps()
    for index, (duration, moment) in zip(played.tolist(), _between(timeline, played), strict=True):
        visit = distinct.visit(index)
        if restores[index] and steps.has_read:
            steps.restore()
        else:
            steps.wait(duration, moment)
        for stop in visit.stops:
            steps.wait(stop.duration, stop.moment)
            steps.do(stop.what)
        steps.taken += visit.samples
        steps.wait(visit.rest, visit.rest_moment)
    time, measurement = _samples(timeline)
    return SpatialProgram(
        pulses=tuple(distinct.pulses),
        readouts=tuple(distinct.readouts),
        steps=tuple(steps.steps),
        time=time,
        measurement=measurement,
        notes=extension_notes(timeline),
    )


def _between(timeline: Timeline, played: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Time and moment that pass in the blocks between each of `played` and the one before."""
    table = np.column_stack([timeline.block_duration, whole_moments(timeline)])
    table[played] = 0.0
    sums = np.add.reduceat(table, np.append(0, played))[:-1] if played.size else table[:0]
    return zip(sums[:, 0].tolist(), sums[:, 1:], strict=True)


def _samples(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """Time and ADC event of every sample."""
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    taken = {event: timeline.adcs[event].sample_times() for event in set(timeline.block_adc[blocks].tolist())}
    events = [taken[event] for event in timeline.block_adc[blocks].tolist()]
    counts = [times.size for times in events]
    time = np.concatenate([np.zeros(0), *events]) + np.repeat(timeline.block_start[blocks], counts)
    return time, np.repeat(np.arange(len(counts)), counts)


@dataclass(frozen=True, slots=True, eq=False)
class _Stop:
    """An event of a block, and what passes since the one before or the block's begin [s], [cycles/m]."""

    duration: float
    moment: np.ndarray
    what: RfStep | ReadStep


@dataclass(frozen=True, slots=True, eq=False)
class _Visit:
    """What a distinct block does: its events, and what passes after the last; samples of reads count from 0."""

    stops: tuple[_Stop, ...]
    rest: float
    rest_moment: np.ndarray
    samples: int


class _Steps:
    """The steps so far, and the precession that waits to be written down."""

    def __init__(self) -> None:
        self.steps: list[SpatialStep] = []
        self.taken = 0
        self.has_read = False
        self._duration, self._moment = 0.0, np.zeros(3)

    def wait(self, duration: float, moment: np.ndarray) -> None:
        """Precess for `duration` [s] under `moment` [cycles/m]."""
        self._duration += duration
        self._moment = self._moment + moment

    def do(self, what: RfStep | ReadStep) -> None:
        """Write down the precession since the last event, and an event."""
        duration = round(self._duration, DIGITS)
        x, y, z = (0.0 if abs(value) < NO_MOMENT else value for value in self._moment.tolist())
        if duration or x or y or z:
            self.steps.append(SpanStep(duration, (x, y, z)))
        self._duration, self._moment = 0.0, np.zeros(3)
        if isinstance(what, ReadStep):
            self.has_read = True
            what = ReadStep(what.readout, what.sample + self.taken)
        self.steps.append(what)

    def restore(self) -> None:
        """Return to equilibrium instead of what waits."""
        self.steps.append(RestoreStep())
        self.has_read = False
        self._duration, self._moment = 0.0, np.zeros(3)


class _Distinct:
    """Distinct pulses, readouts and visits, by the numbers of the events that tell them apart."""

    def __init__(self, timeline: Timeline, larmor: float, longest: float) -> None:
        self._timeline, self._larmor, self._longest = timeline, larmor, longest
        self._turns = [rotation_in(items) is not None for items in timeline.extensions]
        self._visits: dict[object, _Visit] = {}
        self._pulse_numbers: dict[object, int] = {}
        self._first_readouts: dict[object, int] = {}
        self.pulses: list[SpatialPulse] = []
        self.readouts: list[SpatialReadout] = []

    def visit(self, index: int) -> _Visit:
        """What block `index` does."""
        timeline = self._timeline
        extension = int(timeline.block_extension[index])
        turned = extension if extension >= 0 and self._turns[extension] else -1
        gradients = (*timeline.block_gradient[:, index].tolist(), turned)
        events = int(timeline.block_rf[index]), int(timeline.block_adc[index])
        key = (*events, float(timeline.block_duration[index]), gradients)
        if key not in self._visits:
            self._visits[key] = self._visited(timeline.block(index), events, gradients)
        return self._visits[key]

    def _visited(self, block: Block, numbers: tuple[int, int], gradients: object) -> _Visit:
        events: list[tuple[float, float, RfStep | ReadStep]] = []
        if block.rf is not None:
            events.append(self._pulse(block, block.rf, gradients))
        if block.adc is not None:
            events.extend(self._reads(block, block.adc, (numbers[1], gradients)))
        events.sort(key=lambda event: event[0])
        times = np.array([0.0, *(time for begin, end, _ in events for time in (begin, end)), block.duration])
        waits, moments = np.diff(times), np.diff(block_moment(block, times), axis=1).T
        stops = tuple(
            _Stop(float(waits[2 * place]), moments[2 * place], what) for place, (_, _, what) in enumerate(events)
        )
        return _Visit(stops, float(waits[-1]), moments[-1], 0 if block.adc is None else block.adc.samples)

    def _pulse(self, block: Block, rf: RfEvent, gradients: object) -> tuple[float, float, RfStep]:
        """Begin and end of a block's pulse [s], and its step."""
        waveform, frequency = self._timeline.waveforms[rf.waveform], rf.frequency(self._larmor)
        end = rf.delay + waveform.duration
        if block.adc is not None and block.adc.delay < end - SAME_TIME and rf.delay < block.adc.duration - SAME_TIME:
            raise SequenceError(
                f"{self._timeline.source}: block {block.index + 1} in playing order samples while its RF pulse plays, "
                "which no simulator here can do; move the ADC event after the pulse."
            )
        key = (rf.waveform, rf.amplitude, frequency, rf.delay, gradients)
        if key not in self._pulse_numbers:
            self._pulse_numbers[key] = len(self.pulses)
            self.pulses.append(pulse_of(waveform, block, rf, frequency))
        phase = rf.phase(self._larmor)
        after = phase + 2 * np.pi * frequency * waveform.duration
        return rf.delay, end, RfStep(self._pulse_numbers[key], -phase, after)

    def _reads(self, block: Block, adc: AdcEvent, key: object) -> Iterator[tuple[float, float, ReadStep]]:
        """Middle of each part of a block's samples [s], twice, and its step."""
        parts = readouts_of(block, adc, self._larmor, self._longest)
        if key not in self._first_readouts:
            self._first_readouts[key] = len(self.readouts)
            self.readouts.extend(readout for _, readout in parts)
        sample = 0
        for number, (middle, readout) in enumerate(parts, self._first_readouts[key]):
            yield middle, middle, ReadStep(number, sample)
            sample += readout.times.size
