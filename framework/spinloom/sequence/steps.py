"""The order in which spins without a place meet a timeline: pulses, free precession, spoiling, samples.

A voxel that is not resolved in space knows a gradient only by what it does to transverse magnetisation.  A block
with a gradient but neither RF nor ADC whose moment exceeds `SPOILING_MOMENT` on some axis spoils: it is taken to
dephase all transverse magnetisation (ideal spoiling).  Any other gradient would only encode position and is
passed over; `StepProgram.notes` says both, so that nothing in the file is ignored silently.

An ADC event of one sample is no readout but a marker (a pseudo-ADC): its magnetisation is that at its begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.timeline import AdcEvent, Block, SoftDelay, Timeline, Trigger

SPOILING_MOMENT = 1000.0
"""A moment of one cycle a millimetre dephases any voxel of a millimetre or more [cycles/m]."""


@dataclass(frozen=True)
class Pulse:
    """Play RF event `rf` (index into `Timeline.rf`), from its own first sample to its last."""

    rf: int


@dataclass(frozen=True)
class Free:
    """Precess freely in the Larmor frame for `duration` [s]."""

    duration: float


@dataclass(frozen=True)
class Spoil:
    """Lose all transverse magnetisation."""


@dataclass(frozen=True)
class Sample:
    """Record the magnetisation as sample `index` of the signal."""

    index: int


@dataclass(frozen=True)
class MeasurementEnd:
    """The last sample of an ADC event has been taken."""


Step = Pulse | Free | Spoil | Sample | MeasurementEnd


@dataclass(frozen=True, eq=False)
class StepProgram:
    """A timeline as steps, with the samples that they record.

    time: of each sample [s], shape `(samples,)`
    measurement: ADC event of each sample, counted from 0, shape `(samples,)`
    notes: sentences on what was idealised or passed over
    """

    steps: tuple[Step, ...]
    time: np.ndarray
    measurement: np.ndarray
    notes: tuple[str, ...]


def step_program(timeline: Timeline) -> StepProgram:
    """Lower a timeline to the steps that a batch of tissues plays."""
    steps: list[Step] = []
    times: list[np.ndarray] = []
    pending = 0.0
    spoiled = passed_over = taken = 0
    for block in timeline.blocks():
        events = _block_events(block, timeline, taken)
        clock = 0.0
        for start, end, step in events:
            pending += max(start - clock, 0.0)
            if pending > 0:
                steps.append(Free(round(pending, 12)))
                pending = 0.0
            steps.append(step)
            clock = end
        pending += max(block.duration - clock, 0.0)
        if block.adc is not None:
            steps.append(MeasurementEnd())
            times.append(block.start + _recorded_times(block.adc))
            taken += block.adc.samples
        if block.gradients and block.rf is None and block.adc is None:
            spoils = max(abs(gradient.moment) for gradient in block.gradients.values()) >= SPOILING_MOMENT
            spoiled += spoils
            passed_over += not spoils
            steps.extend([Spoil()] if spoils else [])
        elif block.gradients:
            passed_over += 1
    counts = [samples.size for samples in times]
    return StepProgram(
        steps=tuple(steps),
        time=np.concatenate(times) if times else np.zeros(0),
        measurement=np.repeat(np.arange(len(counts)), counts),
        notes=_notes(timeline, spoiled, passed_over),
    )


def _block_events(block: Block, timeline: Timeline, taken: int) -> list[tuple[float, float, Step]]:
    """Begin, end and step of what the block plays in time order."""
    events: list[tuple[float, float, Step]] = []
    if block.rf is not None:
        end = block.rf.delay + timeline.waveforms[block.rf.waveform].duration
        events.append((block.rf.delay, end, Pulse(int(timeline.block_rf[block.index]))))
    if block.adc is not None:
        times = _recorded_times(block.adc)
        if events and times[0] < events[0][1] and times[-1] > events[0][0]:
            raise SequenceError(
                f"{timeline.source}: block {block.index + 1} samples while its RF pulse plays, which no simulator "
                "here can do; move the ADC event after the pulse."
            )
        events.extend((time, time, Sample(taken + index)) for index, time in enumerate(times.tolist()))
    return sorted(events, key=lambda event: event[0])


def _recorded_times(adc: AdcEvent) -> np.ndarray:
    """Times after the block's begin at which magnetisation is recorded [s]."""
    return np.array([adc.delay]) if adc.samples == 1 else adc.sample_times()


def _notes(timeline: Timeline, spoiled: int, passed_over: int) -> tuple[str, ...]:
    notes = []
    if spoiled:
        notes.append(f"Spoiling is ideal: {spoiled} gradient blocks remove all transverse magnetisation.")
    if passed_over:
        notes.append(
            f"Gradients of {passed_over} blocks encode position, which a tissue without place has not; "
            "they are passed over."
        )
    played = {int(index) for index in timeline.block_extension if index >= 0}
    items = [item for index in sorted(played) for item in timeline.extensions[index]]
    if any(isinstance(item, Trigger) for item in items):
        notes.append("Triggers are taken to fire at once.")
    if any(isinstance(item, SoftDelay) for item in items):
        notes.append("Soft delays last as long as their blocks.")
    return tuple(notes)
