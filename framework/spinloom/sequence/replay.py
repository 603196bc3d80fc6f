"""A timeline as other programs play it: for comparison with their results, and for files that were made for them.

pulseq-cest, the simulator that published saturation sequences come with, departs from what a file says (found by
comparing with its published results, which these rules reproduce to 2e-7 of the equilibrium):

- A pulse that changes more often than `max_pulse_samples` times is sampled at the left edges of at most that many
  equal cells of whole rasters, as many as fit into it.  What remains at its end is dropped, and its shape is summed up
  in float32.
- The zeros at the end of a shape are free precession.  A block ends with its pulse whatever its duration says; since
  version 1.4 of the format, where shapes carry no such zeros, the dead time before a pulse is waited again after it.
- After each pulse the phase that its frequency has gained is cut to whole degrees, towards zero.
- A block with an ADC event takes no time and does nothing else.  Only three trapezoids at once spoil.
- The phase of a shape turns clockwise, against the phase offset, which turns counter-clockwise as Pulseq has it.

Magnetisation after a pulse stands in the frame of its frequency there; Mz and the size of Mxy know nothing of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from spinloom.errors import ConfigurationError, known_names
from spinloom.sequence.shape import refuse_oversized
from spinloom.sequence.timeline import Block, RfEvent, RfWaveform, Timeline

TIMINGS = PHYSICAL, PULSEQ_CEST = "physical", "pulseq_cest"
"""Whose times, samples and accumulated phases are played: those of the file, or those of pulseq-cest."""

SHAPE_PHASES = ("pulseq", "pulseq_cest")
"""Which way round the phase of a shape turns: counter-clockwise as Pulseq has it, or clockwise."""

NOTHING = 1e-6
"""Samples of a shape below this are no RF to pulseq-cest."""


def replay(timeline: Timeline, timing: str, shape_phase: str | None, samples: int, larmor: float) -> Timeline:
    """The timeline as it is to be played.

    timing: one of `TIMINGS`
    shape_phase: one of `SHAPE_PHASES`; None means that of the timing's program
    samples, larmor: as for `as_pulseq_cest_plays`

    Raises `ConfigurationError` for other names.
    """
    _refuse_unknown("timing", timing, TIMINGS)
    if shape_phase is None:
        shape_phase = PULSEQ_CEST if timing == PULSEQ_CEST else "pulseq"
    _refuse_unknown("shape_phase", shape_phase, SHAPE_PHASES)
    if timing == PULSEQ_CEST:
        timeline = as_pulseq_cest_plays(timeline, samples, larmor)
    return with_conjugate_shapes(timeline) if shape_phase == PULSEQ_CEST else timeline


def _refuse_unknown(option: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigurationError(f"{option} is {value!r}. {known_names(str(value), known)}")


def with_conjugate_shapes(timeline: Timeline) -> Timeline:
    """The timeline with the phases of its RF shapes, but not its phase offsets, turned the other way round."""
    waveforms = (replace(waveform, values=waveform.values.conj()) for waveform in timeline.waveforms)
    return replace(timeline, waveforms=tuple(waveforms))


def as_pulseq_cest_plays(timeline: Timeline, samples: int, larmor: float) -> Timeline:
    """What pulseq-cest makes of the times, samples and accumulated phases of a timeline, as a timeline.

    samples: most samples of a shaped pulse (`Tissue.max_pulse_samples`)
    larmor: Larmor frequency [Hz], which gives offsets in ppm their value
    """
    pulses = [_resampled(waveform, timeline.rasters.rf, samples) for waveform in timeline.waveforms]
    clock, events = _PhaseClock(), list[RfEvent]()
    durations = timeline.block_duration.copy()
    rf = np.full(len(timeline), -1)
    for block in timeline.blocks():
        if block.adc is not None:
            durations[block.index] = 0.0
        elif block.rf is not None and not _spoils(block):
            pulse = pulses[block.rf.waveform]
            durations[block.index] = block.rf.delay + pulse.played.duration + _rest(timeline, block.rf, pulse)
            rf[block.index] = len(events)
            events.append(clock.turned(block.rf, pulse, larmor))
    spoiling = np.all([[_is_trapezoid(timeline, event) for event in row] for row in timeline.block_gradient], axis=0)
    silent = timeline.block_adc >= 0
    return replace(
        timeline,
        waveforms=tuple(pulse.played for pulse in pulses),
        rf=tuple(events),
        adcs=tuple(replace(adc, samples=1, delay=0.0) for adc in timeline.adcs),
        block_duration=durations,
        block_rf=rf,
        block_gradient=np.where(spoiling & ~silent, timeline.block_gradient, -1),
    )


@dataclass(frozen=True)
class _Pulse:
    """A waveform as it is played, the length of its RF [us], and that of the zeros that follow [s]."""

    played: RfWaveform
    length: int
    zeros: float


class _PhaseClock:
    """The phase that pulses have gained, exactly and as pulseq-cest counts it [rad]."""

    def __init__(self) -> None:
        self._exact = self._counted = 0.0

    def turned(self, event: RfEvent, pulse: _Pulse, larmor: float) -> RfEvent:
        """The event at the phase at which pulseq-cest plays it."""
        frequency = event.frequency(larmor)
        turned = replace(event, phase_offset=event.phase_offset + self._exact - self._counted)
        self._exact += 2 * math.pi * math.fmod(frequency * pulse.played.duration, 1.0)
        self._counted += math.radians(math.fmod(int(pulse.length * 1e-6 * 360 * frequency), 360))
        return turned


def _resampled(waveform: RfWaveform, raster: float, samples: int) -> _Pulse:
    """A waveform without the zeros at its end, at the left edges of cells where it changes more often than allowed."""
    ends = np.cumsum(waveform.durations)
    sounding = np.flatnonzero(np.abs(waveform.values) > NOTHING)
    segments = int(sounding[-1]) + 1 if sounding.size else 1
    length = float(ends[segments - 1])
    whole, zeros = round(length / 1e-6), waveform.duration - length
    if segments <= samples:
        return _Pulse(RfWaveform(waveform.durations[:segments], waveform.values[:segments], True), whole, zeros)
    count = round(length / raster)
    refuse_oversized(count)
    stride = math.ceil(count / samples)
    left = np.arange(count // stride) * stride
    values = _summed_in_single_precision(waveform, ends, count, raster)[left]
    return _Pulse(RfWaveform(np.full(left.size, stride * raster), values, True), whole, zeros)


def _summed_in_single_precision(waveform: RfWaveform, ends: np.ndarray, count: int, raster: float) -> np.ndarray:
    """Samples on the raster with the rounding of a decoder that adds the increments of a shape up in float32."""
    middles = (np.arange(count) + 0.5) * raster
    values = waveform.values[np.minimum(np.searchsorted(ends, middles), ends.size - 1)]
    magnitude = np.cumsum(np.diff(np.abs(values), prepend=0.0).astype(np.float32), dtype=np.float32)
    return magnitude.astype(np.float64) * np.exp(1j * np.angle(values))


def _rest(timeline: Timeline, event: RfEvent, pulse: _Pulse) -> float:
    return event.delay if timeline.version >= (1, 4, 0) else pulse.zeros


def _spoils(block: Block) -> bool:
    return len(block.gradients) == 3 and all(gradient.kind == "trapezoid" for gradient in block.gradients.values())


def _is_trapezoid(timeline: Timeline, event: int) -> bool:
    return bool(event >= 0) and timeline.gradients[event].kind == "trapezoid"
