"""The order in which spins with a place meet a timeline: pulses under gradients, precession, readouts.

Nothing is idealised: gradients act as moments of the file's straight lines, also during pulses and readouts, and every
sample is taken where and when the file takes it.  Distinct pulses and readouts stand once; the order of play refers to
them by number.  Moments are in cycles/m along the axes of the file, rotations of blocks (Pulseq 1.5) included.

A pulse is played in the frame of its own frequency; `RfStep` carries the turns of M+ before and after it.
`spinloom.sequence.spatial_program` lowers a timeline to these nouns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DIGITS = 12
"""Decimals at which durations [s] are told apart."""


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
    notes: sentences on what was idealised
    """

    pulses: tuple[SpatialPulse, ...]
    readouts: tuple[SpatialReadout, ...]
    steps: tuple[SpatialStep, ...]
    time: np.ndarray
    measurement: np.ndarray
    notes: tuple[str, ...] = ()
