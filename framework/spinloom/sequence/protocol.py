"""A saturation protocol as numbers a measurement: what the scanner does between one readout and the next.

These are what networks that stand in for a simulator are told of a sequence; all of them are read from what the file
plays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spinloom.sequence.saturation import READOUT_USES, measurements_of_rf
from spinloom.sequence.timeline import Timeline
from spinloom.units import MICROTESLA, PROTON_GAMMA_BAR


@dataclass(frozen=True, eq=False)
class Protocol:
    """One row a measurement, each of shape `(measurements,)`; saturation of no amplitude counts as none.

    pulses: saturation pulses
    b1: mean amplitude of the saturation while RF is on [uT], 0 where there is none
    pulse_duration: of one saturation pulse, the mean where they differ [s], 0 where there is none
    saturation: from the begin of the first saturation pulse to the end of the last [s]
    recovery: from the sample before, or the sequence's begin, to the saturation, or to the readout without any [s]
    frequency: offset of the saturation, that of its strongest pulse [Hz], 0 where there is none
    flip: of the pulses that read out, together [rad]
    """

    pulses: np.ndarray
    b1: np.ndarray
    pulse_duration: np.ndarray
    saturation: np.ndarray
    recovery: np.ndarray
    frequency: np.ndarray
    flip: np.ndarray

    @property
    def measurements(self) -> int:
        """Number of measurements."""
        return self.pulses.size


def saturation_protocol(timeline: Timeline, larmor: float) -> Protocol:
    """What `timeline` plays before each ADC event.

    larmor: Larmor frequency [Hz], which gives offsets in ppm their value
    """
    samples = np.flatnonzero(timeline.block_adc >= 0)
    blocks = np.flatnonzero(timeline.block_rf >= 0)
    events = timeline.block_rf[blocks]
    owner = measurements_of_rf(timeline, blocks, events, samples)
    reads = np.array([event.use in READOUT_USES for event in timeline.rf], dtype=bool)
    strength = np.array([_mean_amplitude(timeline, number) for number in range(len(timeline.rf))])
    lengths = np.array([timeline.waveforms[event.waveform].duration for event in timeline.rf])
    frequency = np.array([event.frequency(larmor) for event in timeline.rf])
    begins = timeline.block_start[blocks] + np.array([event.delay for event in timeline.rf])[events]
    inside = owner < samples.size
    saturates = inside & ~reads[events] & (strength[events] > 0)
    count = samples.size

    def sums(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(owner[chosen], weights=values[chosen], minlength=count)

    pulses = sums(np.ones(blocks.size), saturates)
    time = sums(lengths[events], saturates)
    area = sums(lengths[events] * strength[events], saturates)
    taken = timeline.block_start[samples] + np.array([timeline.adcs[n].delay for n in timeline.block_adc[samples]])
    first, last = taken.copy(), taken.copy()
    np.minimum.at(first, owner[saturates], begins[saturates])
    ends = np.full(count, -np.inf)
    np.maximum.at(ends, owner[saturates], (begins + lengths[events])[saturates])
    last = np.where(pulses > 0, ends, first)
    some = np.maximum(pulses, 1)
    return Protocol(
        pulses=pulses,
        b1=np.divide(area, time, out=np.zeros(count), where=time > 0) / (PROTON_GAMMA_BAR * MICROTESLA),
        pulse_duration=time / some,
        saturation=last - first,
        recovery=first - np.concatenate([[0.0], taken[:-1]]),
        frequency=_strongest(frequency[events], (lengths * strength)[events], owner, saturates, count),
        flip=2 * math.pi * sums((lengths * strength)[events], inside & reads[events]),
    )


def _mean_amplitude(timeline: Timeline, number: int) -> float:
    """Magnitude of the mean nutation frequency of an RF event [Hz]."""
    event = timeline.rf[number]
    waveform = timeline.waveforms[event.waveform]
    return abs(event.amplitude * waveform.area) / waveform.duration


def _strongest(
    frequency: np.ndarray, area: np.ndarray, owner: np.ndarray, chosen: np.ndarray, count: int
) -> np.ndarray:
    """Frequency of the pulse of largest area in each measurement, 0 where there is none."""
    found = np.zeros(count)
    order = np.flatnonzero(chosen)[np.argsort(area[chosen], kind="stable")]
    found[owner[order]] = frequency[order]
    return found
