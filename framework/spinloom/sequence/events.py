"""Distinct RF and ADC events, and the extensions that blocks carry: labels, triggers, soft delays, rotations, RF shims.

All quantities are SI: seconds, hertz (RF amplitude as a nutation frequency), radians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.frozen import freeze
from spinloom.sequence.shape import MAX_DECODED_SAMPLES, Shape
from spinloom.units import PPM

_PLATEAU = 1e-5
"""Magnitudes that differ by less than this part of the peak are the peak."""


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

    def __post_init__(self) -> None:
        freeze(self.durations, self.values)

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

    @cached_property
    def centre(self) -> float:
        """Middle of the stretch from the first to the last segment of peak magnitude, after the pulse's begin [s]."""
        ends = np.cumsum(self.durations)
        highest = np.flatnonzero(np.abs(self.values) >= (1 - _PLATEAU) * self.peak)
        first, last = highest[0], highest[-1]
        return float(ends[first] - self.durations[first] + ends[last]) / 2


@dataclass(frozen=True)
class RfEvent:
    """An RF pulse: `amplitude * values(t) * exp(i (phase + 2 pi frequency t))`, with t from the pulse's begin.

    waveform: index into `Timeline.waveforms`
    amplitude: nutation frequency at envelope 1 [Hz]
    delay: from the block's begin to the pulse's [s]
    frequency_offset, phase_offset: [Hz], [rad]
    frequency_ppm, phase_ppm: parts proportional to the Larmor frequency (Pulseq 1.5) [1e-6], [rad/MHz]
    use: excitation, refocusing, inversion, saturation, preparation, other or undefined
    centre: when the pulse acts as a rotation at once, after its begin [s], as files state it since version 1.5;
        NaN stands for the centre of the waveform
    """

    waveform: int
    amplitude: float
    delay: float
    frequency_offset: float
    phase_offset: float
    frequency_ppm: float
    phase_ppm: float
    use: str
    centre: float = math.nan

    def frequency(self, larmor: float) -> float:
        """Frequency offset at the Larmor frequency `larmor` [Hz], both in Hz."""
        return self.frequency_offset + self.frequency_ppm * PPM * larmor

    def phase(self, larmor: float) -> float:
        """Phase offset at the Larmor frequency `larmor` [Hz], in radians."""
        return self.phase_offset + self.phase_ppm * PPM * larmor


@dataclass(frozen=True, eq=False)
class AdcEvent:
    """A readout of `samples` samples, the n-th at `delay + (n + 1/2) dwell` after the block's begin.

    delay, dwell: [s]
    frequency_offset, phase_offset, frequency_ppm, phase_ppm: of the receiver, as for RF
    phase_shape: additional receiver phase of each sample [rad], or None (Pulseq 1.5)
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
        if self.samples > MAX_DECODED_SAMPLES:
            raise SequenceError(
                f"an ADC event takes {self.samples:,} samples, more than the {MAX_DECODED_SAMPLES:,} that are decoded; "
                "shorten it."
            )
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
    """A delay that the operator may change on the scanner; the block plays its default duration (Pulseq 1.5).

    number, hint: which input it is, and its name
    offset, factor: the block lasts `input / factor + offset` [s]
    """

    number: int
    offset: float
    factor: float
    hint: str


@dataclass(frozen=True)
class Rotation:
    """A rotation of all gradients of a block about the origin (Pulseq 1.5).

    quaternion: of length 1, scalar first, then along x, y, z
    """

    quaternion: tuple[float, float, float, float]

    @cached_property
    def matrix(self) -> np.ndarray:
        """What turns the gradient vector (x, y, z) of the file into the one that is played, shape `(3, 3)`."""
        real, vector = self.quaternion[0], np.array(self.quaternion[1:])
        x, y, z = vector
        across = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        matrix = np.eye(3) + 2 * real * across + 2 * across @ across
        freeze(matrix)
        return matrix


@dataclass(frozen=True)
class RfShim:
    """Complex weights of the channels of a transmit array for the pulse of a block (Pulseq 1.5)."""

    weights: tuple[complex, ...]


Extension = Label | Trigger | SoftDelay | Rotation | RfShim


def rotation_in(extensions: tuple[Extension, ...]) -> Rotation | None:
    """The rotation that a block's list carries, at most one."""
    return next((item for item in extensions if isinstance(item, Rotation)), None)
