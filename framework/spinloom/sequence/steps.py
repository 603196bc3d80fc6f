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

MAX_SAMPLES = 1_000_000
"""More samples than this are refused: each is a step of its own here, and no study of tissue without place has more."""

_TOLERANCE = 1e-9
"""Times closer than this are the same [s]: the sums that they come from round."""


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
    _refuse_oversized(timeline)
    steps: list[Step] = []
    times: list[np.ndarray] = []
    pending = 0.0
    spoiled = passed_over = taken = 0
    for block in timeline.blocks():
        clock = 0.0
        for start, end, step in _block_events(block, timeline, taken):
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
        if block.gradients:
            spoils = _spoils(block)
            steps.extend([Spoil()] if spoils else [])
            spoiled += spoils
            passed_over += not spoils
    counts = [samples.size for samples in times]
    return StepProgram(
        steps=tuple(steps),
        time=np.concatenate(times) if times else np.zeros(0),
        measurement=np.repeat(np.arange(len(counts)), counts),
        notes=_notes(timeline, spoiled, passed_over),
    )


def _refuse_oversized(timeline: Timeline) -> None:
    if timeline.adc_samples > MAX_SAMPLES:
        raise SequenceError(
            f"{timeline.source} takes {timeline.adc_samples:,} ADC samples; a tissue without place is sampled at most "
            f"{MAX_SAMPLES:,} times. Shorten its ADC events."
        )


def _spoils(block: Block) -> bool:
    """Whether a block's gradients do nothing but dephase."""
    if block.rf is not None or block.adc is not None:
        return False
    return max(abs(gradient.moment) for gradient in block.gradients.values()) >= SPOILING_MOMENT


def _block_events(block: Block, timeline: Timeline, taken: int) -> list[tuple[float, float, Step]]:
    """Begin, end and step of what the block plays in time order; a sample at a pulse's begin comes before it."""
    times = _recorded_times(block.adc) if block.adc is not None else np.zeros(0)
    events: list[tuple[float, float, Step]] = [
        (time, time, Sample(taken + index)) for index, time in enumerate(times.tolist())
    ]
    if block.rf is None:
        return events
    begin = block.rf.delay
    end = begin + timeline.waveforms[block.rf.waveform].duration
    before = int(np.count_nonzero(times <= begin + _TOLERANCE))
    if before < times.size and times[before] < end - _TOLERANCE:
        raise SequenceError(
            f"{timeline.source}: block {block.index + 1} in playing order samples while its RF pulse plays, which no "
            "simulator here can do; move the ADC event after the pulse."
        )
    events.insert(before, (begin, end, Pulse(int(timeline.block_rf[block.index]))))
    return events


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
