"""Where the events of a spatial program lie: in which block, when in it, and at what moment of its gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.sequence.moments import block_moment
from spinloom.sequence.spatial_steps import ReadStep, RestoreStep, RfStep, SpanStep, SpatialProgram
from spinloom.sequence.timeline import Timeline


@dataclass(frozen=True, eq=False)
class EventPlaces:
    """The pulses and readouts of a program in the order of play; a readout is at its middle and takes no time.

    steps: what they are
    restored: whether magnetisation returns to equilibrium before each, shape `(events,)`
    block: in which they lie, shape `(events,)`
    times: of begin and end after the block's begin [s], shape `(events, 2)`
    moments: of the block's gradients up to these times, as played [cycles/m], shape `(events, 2, 3)`
    """

    steps: tuple[RfStep | ReadStep, ...]
    restored: np.ndarray
    block: np.ndarray
    times: np.ndarray
    moments: np.ndarray


def event_places(timeline: Timeline, program: SpatialProgram) -> EventPlaces:
    """The events of `program`, which `spatial_program` made of `timeline`."""
    steps = [step for step in program.steps if not isinstance(step, SpanStep)]
    restores = np.array([isinstance(step, RestoreStep) for step in steps], dtype=bool)
    events = [step for step in steps if isinstance(step, RfStep | ReadStep)]
    pulsed, sampled = (np.flatnonzero(table >= 0) for table in (timeline.block_rf, timeline.block_adc))
    pulses = iter(pulsed.tolist())
    first = np.searchsorted(program.measurement, np.arange(sampled.size))
    blocks, times = [], []
    for step in events:
        if isinstance(step, RfStep):
            block = next(pulses)
            event = timeline.rf[timeline.block_rf[block]]
            times.append((event.delay, event.delay + timeline.waveforms[event.waveform].duration))
        else:
            measurement = program.measurement[step.sample]
            block = int(sampled[measurement])
            taken = timeline.adcs[timeline.block_adc[block]].sample_times()[step.sample - first[measurement]]
            times.append((taken - program.readouts[step.readout].times[0],) * 2)
        blocks.append(block)
    moments = [block_moment(timeline.block(block), np.array(time)).T for block, time in zip(blocks, times, strict=True)]
    return EventPlaces(
        steps=tuple(events),
        restored=np.append(False, restores)[:-1][~restores],
        block=np.array(blocks, dtype=np.int64),
        times=np.array(times).reshape(-1, 2),
        moments=np.array(moments).reshape(-1, 2, 3),
    )
