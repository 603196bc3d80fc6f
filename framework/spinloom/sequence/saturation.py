"""What a timeline plays from one ADC event to the next: the span of a measurement, and its saturation.

A measurement is an ADC event with all that led to it: it begins where the ADC event before it ended.
"""

from __future__ import annotations

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.timeline import Timeline
from spinloom.units import PPM

READOUT_USES = ("excitation", "refocusing")
"""Uses of RF that a file may state and that do not saturate."""


def measurement_span(timeline: Timeline, number: int) -> tuple[float, float]:
    """Begin and end [s] of measurement `number`, counted from 1; raises `SequenceError` where there is none."""
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    if not 1 <= number <= blocks.size:
        count = f"1 to {blocks.size}" if blocks.size else "none, for nothing is sampled"
        raise SequenceError(f"{timeline.source} has no measurement {number}; it has {count}.")
    ends = (timeline.block_start + timeline.block_duration)[blocks]
    return float(ends[number - 2]) if number > 1 else 0.0, float(ends[number - 1])


def saturation_offsets(timeline: Timeline, larmor: float) -> np.ndarray:
    """Frequency offset [Hz] of the saturation before each ADC event, shape `(measurements,)`.

    larmor: Larmor frequency [Hz], which gives offsets in ppm their value

    Of the RF since the ADC event before, it is the frequency whose pulses carry the most energy (squared amplitude
    times time), the higher one of two that are equal; NaN where no RF of any amplitude was played.  Pulses that the
    file marks as excitation or refocusing are a readout and do not count, unless it marks all of its pulses so.
    """
    samples = np.flatnonzero(timeline.block_adc >= 0)
    offsets = np.full(samples.size, np.nan)
    table = timeline.rf_table
    energy, frequency = _event_energies(timeline), table["frequency_offset"] + table["frequency_ppm"] * PPM * larmor
    blocks = np.flatnonzero(timeline.block_rf >= 0)
    events = timeline.block_rf[blocks]
    measurement = measurements_of_rf(timeline, blocks, events, samples)
    heard = (measurement < samples.size) & (energy[events] > 0)
    distinct, which = np.unique(frequency[events[heard]], return_inverse=True)
    pairs, group = np.unique(measurement[heard] * max(distinct.size, 1) + which, return_inverse=True)
    sums = np.bincount(group, weights=energy[events[heard]], minlength=pairs.size)
    owners, chosen = np.divmod(pairs, max(distinct.size, 1))
    order = np.lexsort((chosen, sums, owners))
    offsets[owners[order]] = distinct[chosen[order]]
    return offsets


def _event_energies(timeline: Timeline) -> np.ndarray:
    """Energy of each distinct RF event [Hz^2 s], zero for those that belong to a readout; shape `(events,)`."""
    power = np.array([waveform.power for waveform in timeline.waveforms])
    energy = timeline.rf_table["amplitude"] ** 2 * power[timeline.rf_table["waveform"]]
    readout = np.array([event.use in READOUT_USES for event in timeline.rf], dtype=bool)
    return np.where(readout, 0.0, energy) if energy[~readout].any() else energy


def measurements_of_rf(timeline: Timeline, blocks: np.ndarray, events: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Measurement that each RF `event` of `blocks` leads to; RF in a block with an ADC event may come after it."""
    rf_delay = timeline.rf_table["delay"][events]
    adc_delay = np.append([adc.delay for adc in timeline.adcs], np.inf)[timeline.block_adc[blocks]]
    return np.searchsorted(2 * samples + 1, 2 * blocks + 2 * (rf_delay > adc_delay))
