"""The order in which spins with a place meet a timeline: pulses under gradients, precession, readouts.

Nothing is idealised: gradients act as moments of the file's straight lines, also during pulses and readouts, and every
sample is taken where and when the file takes it.  Distinct pulses, spans and readouts are lowered once; the order of
play refers to them by number.  Moments are in cycles/m and belong to the axes of the file.

A pulse is played in the frame of its own frequency; `RfStep` carries the turns of M+ before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.moments import block_moment
from spinloom.sequence.timeline import AdcEvent, Block, RfEvent, Timeline
from spinloom.sequence.trajectory import moment_factors

SAME_TIME = 1e-9
"""Times closer than this are the same [s]: the sums that they come from round."""

DIGITS = 12
"""Decimals at which durations [s] are told apart."""

NO_MOMENT = 1e-8
"""Moments below this are rounding [cycles/m]: 1e-8 turns over a metre."""


@dataclass(frozen=True, eq=False)
class SpatialPulse:
    """A distinct pulse with the gradient that plays during it, in cells of constant RF and mean gradient.

    durations: [s], shape `(cells,)`
    nutation: complex nutation frequency at zero phase offset [Hz], shape `(cells,)`
    gradient: mean over each cell [Hz/m], shape `(cells, 3)`
    frequency: of the pulse above the Larmor frequency [Hz]
    """

    durations: np.ndarray
    nutation: np.ndarray
    gradient: np.ndarray
    frequency: float

    @property
    def duration(self) -> float:
        """Length of the pulse [s]."""
        return float(self.durations.sum())


@dataclass(frozen=True, eq=False)
class SpatialReadout:
    """Distinct samples of an ADC event, or of a part of one, about the middle of their time.

    times: of the samples from the middle [s], shape `(samples,)`
    moments: of the gradients from the middle to each sample [cycles/m], shape `(samples, 3)`
    receiver: factor that demodulates each sample, complex, shape `(samples,)`
    """

    times: np.ndarray
    moments: np.ndarray
    receiver: np.ndarray


@dataclass(frozen=True)
class RfStep:
    """Play pulse `pulse`; M+ turns by `before` and after it by `after` [rad]."""

    pulse: int
    before: float
    after: float


@dataclass(frozen=True)
class SpanStep:
    """Precess and relax for `duration` [s] under the gradient moment `moment` [cycles/m]."""

    duration: float
    moment: tuple[float, float, float]


@dataclass(frozen=True)
class ReadStep:
    """Take the samples of readout `readout`, the first being sample `sample` of the signal."""

    readout: int
    sample: int


@dataclass(frozen=True)
class RestoreStep:
    """Return to equilibrium, where recovery is taken as complete."""


SpatialStep = RfStep | SpanStep | ReadStep | RestoreStep


@dataclass(frozen=True, eq=False)
class SpatialProgram:
    """A timeline as spins with a place meet it.

    time: of each sample from the start [s], shape `(samples,)`
    measurement: ADC event of each sample, shape `(samples,)`
    """

    pulses: tuple[SpatialPulse, ...]
    readouts: tuple[SpatialReadout, ...]
    steps: tuple[SpatialStep, ...]
    time: np.ndarray
    measurement: np.ndarray


@dataclass
class _Lowering:
    """What has been lowered so far; distinct things by their keys."""

    timeline: Timeline
    larmor: float
    longest: float
    pulses: dict[object, int] = field(default_factory=dict)
    pulse_list: list[SpatialPulse] = field(default_factory=list)
    readouts: dict[object, list[int]] = field(default_factory=dict)
    readout_list: list[SpatialReadout] = field(default_factory=list)
    steps: list[SpatialStep] = field(default_factory=list)
    pending: float = 0.0
    pending_moment: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def span(self, block: Block, start: float, end: float) -> None:
        """Precess from `start` to `end` of a block."""
        if end > start:
            self.pending += end - start
            self.pending_moment = self.pending_moment + block_moment(block, np.array([start, end])) @ _DIFFERENCE

    def flush(self) -> None:
        """Write down the precession since the last event."""
        duration = round(self.pending, DIGITS)
        moment = np.where(np.abs(self.pending_moment) < NO_MOMENT, 0.0, self.pending_moment)
        if duration != 0 or moment.any():
            self.steps.append(SpanStep(duration, tuple(moment.tolist())))
        self.pending, self.pending_moment = 0.0, np.zeros(3)


_DIFFERENCE = np.array([-1.0, 1.0])


def spatial_program(
    timeline: Timeline, larmor: float = 0.0, longest: float = np.inf, complete_recovery: bool = False
) -> SpatialProgram:
    """Lower a timeline to the steps that spins with a place play.

    larmor: Larmor frequency [Hz], which ppm terms of pulses and receivers refer to
    longest: readouts are cut into parts of at most this length [s]
    complete_recovery: whether magnetisation returns to equilibrium before an excitation that follows a readout

    Raises `SequenceError` where an ADC event samples while a pulse plays.
    """
    state = _Lowering(timeline, larmor, longest)
    times: list[np.ndarray] = []
    refocuses = moment_factors(timeline) == -1
    taken, read_since_reset = 0, False
    for block in timeline.blocks():
        clock = 0.0
        if block.rf is not None:
            if complete_recovery and read_since_reset and not refocuses[timeline.block_rf[block.index]]:
                state.pending, state.pending_moment = 0.0, np.zeros(3)
                state.steps.append(RestoreStep())
                read_since_reset = False
            clock = _lower_rf(state, block, block.rf)
        if block.adc is not None:
            clock = _lower_adc(state, block, block.adc, clock, taken)
            times.append(block.start + block.adc.sample_times())
            taken += block.adc.samples
            read_since_reset = True
        state.span(block, clock, block.duration)
    counts = [samples.size for samples in times]
    return SpatialProgram(
        pulses=tuple(state.pulse_list),
        readouts=tuple(state.readout_list),
        steps=tuple(state.steps),
        time=np.concatenate(times) if times else np.zeros(0),
        measurement=np.repeat(np.arange(len(counts)), counts),
    )


def _lower_rf(state: _Lowering, block: Block, rf: RfEvent) -> float:
    """Play the block up to the end of its pulse, which is returned."""
    waveform = state.timeline.waveforms[rf.waveform]
    frequency, phase = rf.frequency(state.larmor), rf.phase(state.larmor)
    end = rf.delay + waveform.duration
    if block.adc is not None and block.adc.delay < end - SAME_TIME and rf.delay < block.adc.duration - SAME_TIME:
        raise SequenceError(
            f"{state.timeline.source}: block {block.index + 1} in playing order samples while its RF pulse plays, "
            "which no simulator here can do; move the ADC event after the pulse."
        )
    state.span(block, 0.0, rf.delay)
    state.flush()
    gradients = tuple(sorted((axis, id(gradient)) for axis, gradient in block.gradients.items()))
    key = (rf.waveform, rf.amplitude, frequency, rf.delay, gradients)
    if key not in state.pulses:
        state.pulses[key] = len(state.pulse_list)
        state.pulse_list.append(_pulse(state.timeline, block, rf, frequency))
    state.steps.append(RfStep(state.pulses[key], -phase, phase + 2 * np.pi * frequency * waveform.duration))
    return end


def _pulse(timeline: Timeline, block: Block, rf: RfEvent, frequency: float) -> SpatialPulse:
    """Cells of the pulse's own segments, cut where a gradient changes its slope or slopes."""
    waveform = timeline.waveforms[rf.waveform]
    edges = np.concatenate([[0.0], np.cumsum(waveform.durations)]) + rf.delay
    extra = [_slope_edges(gradient.points(), edges[0], edges[-1]) for gradient in block.gradients.values()]
    cells = np.unique(np.round(np.concatenate([edges, *extra]), DIGITS))
    durations = np.diff(cells)
    middle = (cells[1:] + cells[:-1]) / 2
    segment = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, waveform.values.size - 1)
    moments = block_moment(block, cells)
    gradient = (np.diff(moments, axis=1) / durations).T
    return SpatialPulse(durations, rf.amplitude * waveform.values[segment], gradient, frequency)


def _slope_edges(points: tuple[np.ndarray, np.ndarray], start: float, end: float, cells: int = 32) -> np.ndarray:
    """Times between `start` and `end` at which a gradient bends, and `cells` cuts of each stretch that slopes."""
    times, values = points
    slopes = np.flatnonzero((np.diff(values) != 0) & (times[1:] > start) & (times[:-1] < end))
    cuts = [np.linspace(times[left], times[left + 1], cells + 1) for left in slopes if times.size < 3 * cells]
    found = np.concatenate([times, *cuts])
    return found[(found > start + SAME_TIME) & (found < end - SAME_TIME)]


def _lower_adc(state: _Lowering, block: Block, adc: AdcEvent, clock: float, taken: int) -> float:
    """Play the block up to the middle of its last part of samples, which is returned."""
    assert block.adc is not None
    times = adc.sample_times()
    key = (id(adc), block.duration, tuple(sorted((axis, id(g)) for axis, g in block.gradients.items())))
    parts = np.array_split(times, max(1, int(np.ceil(adc.samples * adc.dwell / state.longest))))
    if key not in state.readouts:
        state.readouts[key] = list(range(len(state.readout_list), len(state.readout_list) + len(parts)))
        receiver = _receiver(adc, state.larmor)
        first = 0
        for part in parts:
            state.readout_list.append(_readout(block, part, receiver[first : first + part.size]))
            first += part.size
    for number, part in zip(state.readouts[key], parts, strict=True):
        middle = _middle(part)
        state.span(block, clock, middle)
        state.flush()
        state.steps.append(ReadStep(number, taken))
        clock = middle
        taken += part.size
    return clock


def _middle(times: np.ndarray) -> float:
    return float(times[0] + times[-1]) / 2


def _readout(block: Block, times: np.ndarray, receiver: np.ndarray) -> SpatialReadout:
    middle = _middle(times)
    moments = block_moment(block, np.append(times, middle))
    return SpatialReadout(times - middle, (moments[:, :-1] - moments[:, -1:]).T, receiver)


def _receiver(adc: AdcEvent, larmor: float) -> np.ndarray:
    """Factor that demodulates each sample; the receiver's phase runs from the ADC event's begin."""
    since = (np.arange(adc.samples) + 0.5) * adc.dwell
    frequency = adc.frequency_offset + adc.frequency_ppm * 1e-6 * larmor
    phase = adc.phase_offset + adc.phase_ppm * 1e-6 * larmor + 2 * np.pi * frequency * since
    if adc.phase_shape is not None:
        phase = phase + adc.phase_shape.samples()
    return np.exp(-1j * phase)
