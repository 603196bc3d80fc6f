"""How strong the saturation before each ADC event is: the root mean square of its RF while it is on."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.saturation import READOUT_USES, measurements_of_rf
from spinloom.sequence.timeline import Timeline


def saturation_rms(timeline: Timeline) -> np.ndarray:
    """Amplitude [Hz] of the saturation of each measurement, zero where no RF was played; shape `(measurements,)`.

    Pulses that the file marks as excitation or refocusing are a readout and do not count, unless it marks all so.
    """
    table = timeline.rf_table
    sounding = {event.use for event in timeline.rf if event.amplitude} - set(READOUT_USES) or set(READOUT_USES)
    counted = np.array([event.use in sounding for event in timeline.rf], dtype=bool) & (table["amplitude"] != 0)
    forms = np.array([(waveform.duration, waveform.power) for waveform in timeline.waveforms]).reshape(-1, 2)
    samples, blocks = (np.flatnonzero(index >= 0) for index in (timeline.block_adc, timeline.block_rf))
    events = timeline.block_rf[blocks]
    measurement = measurements_of_rf(timeline, blocks, events, samples)
    heard = counted[events] & (measurement < samples.size)
    length, power = forms[table["waveform"][events[heard]]].T

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(measurement[heard], weights=values, minlength=samples.size)

    energy, duration = sums(table["amplitude"][events[heard]] ** 2 * power), sums(length)
    return np.sqrt(energy / np.where(duration > 0, duration, 1.0))
