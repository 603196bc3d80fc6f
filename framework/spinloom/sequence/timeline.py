"""What a `.seq` file plays, as immutable nouns: distinct events once, and a table of blocks that refers to them.

All quantities are SI: seconds, hertz (RF amplitude as a nutation frequency), hertz per metre, radians.
Nothing is played here; `spinloom.sequence.steps` turns a timeline into the order in which spins meet it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinloom.sequence.shape import Shape
from spinloom.units import PPM


@dataclass(frozen=True, eq=False)
class RfWaveform:
    """A distinct RF envelope, normalised as in the file, constant on each segment.

    durations: length of each segment [s], shape `(segments,)`
    values: complex envelope of each segment (1 at the file's amplitude), shape `(segments,)`
    exact: whether the file's own samples are these segments; false where straight lines between the points
        of a time shape were cut into raster cells
    """

    durations: np.ndarray
    values: np.ndarray
    exact: bool

    @cached_property
    def duration(self) -> float:
        """Length of the envelope, trailing zeros included [s]."""
        return float(self.durations.sum())

    @cached_property
    def area(self) -> complex:
        """Integral of the envelope over time [s]."""
        return complex(np.dot(self.values, self.durations))

    @cached_property
    def power(self) -> float:
        """Integral of the squared magnitude of the envelope over time [s]."""
        return float(np.dot(np.abs(self.values) ** 2, self.durations))

    @cached_property
    def peak(self) -> float:
        """Largest magnitude of the envelope."""
        return float(np.abs(self.values).max())


@dataclass(frozen=True)
class RfEvent:
    """An RF pulse: `amplitude * values(t) * exp(i (phase + 2 pi frequency (t - start)))`, t - start from the pulse's begin.

    waveform: index into `Timeline.waveforms`
    amplitude: nutation frequency at envelope 1 [Hz]
    delay: from the block's begin to the pulse's [s]
    frequency_offset, phase_offset: [Hz], [rad]
    frequency_ppm, phase_ppm: parts proportional to the Larmor frequency (Pulseq 1.5) [1e-6], [rad/MHz]
    use: excitation, refocusing, inversion, saturation, preparation, other or undefined
    """

    waveform: int
    amplitude: float
    delay: float
    frequency_offset: float
    phase_offset: float
    frequency_ppm: float
    phase_ppm: float
    use: str

    def frequency(self, larmor: float) -> float:
        """Frequency offset at the Larmor frequency `larmor` [Hz], both in Hz."""
        return self.frequency_offset + self.frequency_ppm * PPM * larmor

    def phase(self, larmor: float) -> float:
        """Phase offset at the Larmor frequency `larmor` [Hz], in radians."""
        return self.phase_offset + self.phase_ppm * PPM * larmor


@dataclass(frozen=True, eq=False)
class GradientEvent:
    """A gradient on one axis, straight between points.

    kind: trapezoid, extended (points of a time shape) or arbitrary (a sample a raster cell)
    amplitude: gradient at waveform 1 [Hz/m]
    delay: from the block's begin to the first point [s]
    knots: times of a trapezoid's four points after the delay [s]; None for a sampled waveform
    waveform, timing: sampled waveform and its time points in rasters; timing None means a sample a raster cell,
        at its centre, or every half raster where `oversampled`
    first, last: value at the begin and end of a sampled waveform [Hz/m]
    raster: gradient raster [s]
    """

    kind: str
    amplitude: float
    delay: float
    knots: tuple[float, float, float, float] | None
    waveform: Shape | None
    timing: Shape | None
    oversampled: bool
    first: float
    last: float
    raster: float

    @cached_property
    def duration(self) -> float:
        """From the block's begin to the gradient's end [s]."""
        return self.delay + self._length

    @property
    def _length(self) -> float:
        if self.knots is not None:
            return self.knots[-1]
        assert self.waveform is not None
        if self.timing is not None:
            return float(np.dot(self.timing.increments, self.timing.counts)) * self.raster
        return (self.waveform.size + 1) / 2 * self.raster if self.oversampled else self.waveform.size * self.raster

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Times after the block's begin [s] and gradient [Hz/m] at the points that straight lines join."""
        if self.knots is not None:
            return self.delay + np.array(self.knots), self.amplitude * np.array([0.0, 1.0, 1.0, 0.0])
        assert self.waveform is not None
        values = self.amplitude * self.waveform.samples()
        if self.timing is not None:
            return self.delay + self.timing.samples() * self.raster, values
        step = self.raster / 2 if self.oversampled else self.raster
        times = (np.arange(values.size) + (1.0 if self.oversampled else 0.5)) * step
        times = np.concatenate([[0.0], times, [self._length]])
        return self.delay + times, np.concatenate([[self.first], values, [self.last]])

    @cached_property
    def moment(self) -> float:
        """Integral over time [cycles/m]."""
        times, values = self.points()
        return float(np.trapezoid(values, times))


@dataclass(frozen=True, eq=False)
class AdcEvent:
    """A readout of `samples` samples, the n-th at `delay + (n + 1/2) dwell` after the block's begin.

    delay, dwell: [s]
    frequency_offset, phase_offset, frequency_ppm, phase_ppm: of the receiver, as for RF
    phase_shape: additional receiver phase a sample [rad], or None (Pulseq 1.5)
    """

    samples: int
    dwell: float
    delay: float
    frequency_offset: float
    phase_offset: float
    frequency_ppm: float
    phase_ppm: float
    phase_shape: Shape | None

    @property
    def duration(self) -> float:
        """From the block's begin to the end of the last sample [s]."""
        return self.delay + self.samples * self.dwell

    def sample_times(self) -> np.ndarray:
        """Times of the samples after the block's begin [s], shape `(samples,)`."""
        return self.delay + (np.arange(self.samples) + 0.5) * self.dwell


@dataclass(frozen=True)
class Label:
    """A data label that a block sets to, or increments by, a value."""

    name: str
    value: int
    increment: bool


@dataclass(frozen=True)
class Trigger:
    """A digital output or an input trigger: channel, delay and duration [s]."""

    kind: str
    channel: int
    delay: float
    duration: float


@dataclass(frozen=True)
class SoftDelay:
    """A delay that the operator may change on the scanner; the block plays its default duration (Pulseq 1.5)."""

    number: int
    offset: float
    factor: float
    hint: str


Extension = Label | Trigger | SoftDelay


@dataclass(frozen=True)
class Rasters:
    """Raster times of the file [s]."""

    rf: float
    gradient: float
    adc: float
    block: float


@dataclass(frozen=True, eq=False)
class Block:
    """One row of the block table with its events looked up; see `Timeline.block`."""

    index: int
    start: float
    duration: float
    rf: RfEvent | None
    gradients: Mapping[str, GradientEvent]
    adc: AdcEvent | None
    extensions: tuple[Extension, ...]


AXES = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class Timeline:
    """A `.seq` file: its distinct events and the order in which its blocks play them.

    version: of the Pulseq format, such as (1, 4, 1)
    definitions: the file's [DEFINITIONS], numbers as float or tuple of float, the rest as text
    waveforms, rf, gradients, adcs: distinct events
    extensions: distinct lists of labels, triggers and soft delays
    block_duration: [s], shape `(blocks,)`
    block_rf, block_gradient, block_adc, block_extension: index of the event in its tuple or -1, shape
        `(blocks,)`; `block_gradient` has one row an axis, `(3, blocks)`
    source, sha256: where the file lay, and the hash of its bytes
    """

    version: tuple[int, int, int]
    definitions: Mapping[str, float | tuple[float, ...] | str]
    rasters: Rasters
    waveforms: tuple[RfWaveform, ...]
    rf: tuple[RfEvent, ...]
    gradients: tuple[GradientEvent, ...]
    adcs: tuple[AdcEvent, ...]
    extensions: tuple[tuple[Extension, ...], ...]
    block_duration: np.ndarray
    block_rf: np.ndarray
    block_gradient: np.ndarray
    block_adc: np.ndarray
    block_extension: np.ndarray
    source: str
    sha256: str

    def __post_init__(self) -> None:
        for table in (self.block_duration, self.block_rf, self.block_gradient, self.block_adc, self.block_extension):
            table.flags.writeable = False

    def __len__(self) -> int:
        """Number of blocks."""
        return self.block_duration.size

    @cached_property
    def block_start(self) -> np.ndarray:
        """Begin of each block [s], shape `(blocks,)`."""
        return np.concatenate([[0.0], np.cumsum(self.block_duration)[:-1]]) if len(self) else np.zeros(0)

    @cached_property
    def duration(self) -> float:
        """Length of the sequence [s]."""
        return float(self.block_duration.sum())

    def block(self, index: int) -> Block:
        """Block `index`, counted from 0 in playing order."""
        rf, adc, extension = (int(table[index]) for table in (self.block_rf, self.block_adc, self.block_extension))
        gradients = {
            axis: self.gradients[int(event)]
            for axis, event in zip(AXES, self.block_gradient[:, index], strict=True)
            if event >= 0
        }
        return Block(
            index=index,
            start=float(self.block_start[index]),
            duration=float(self.block_duration[index]),
            rf=self.rf[rf] if rf >= 0 else None,
            gradients=gradients,
            adc=self.adcs[adc] if adc >= 0 else None,
            extensions=self.extensions[extension] if extension >= 0 else (),
        )

    def blocks(self) -> Iterator[Block]:
        """The blocks in playing order."""
        return (self.block(index) for index in range(len(self)))

    @cached_property
    def adc_samples(self) -> int:
        """Number of samples that all ADC events together take."""
        played = self.block_adc[self.block_adc >= 0]
        counts = np.bincount(played, minlength=len(self.adcs))
        return int(sum(int(count) * adc.samples for count, adc in zip(counts, self.adcs, strict=True)))
