"""How strong the saturation before each ADC event is: the root mean square of its RF while it is on."""

from __future__ import annotations

import math

import numpy as np

from spinloom.sequence.saturation import READOUT_USES
from spinloom.sequence.timeline import Block, Timeline


def saturation_rms(timeline: Timeline) -> np.ndarray:
    """Amplitude [Hz] of the saturation of each measurement, zero where no RF was played; shape `(measurements,)`.

    Pulses that the file marks as excitation or refocusing are a readout and do not count, unless it marks all so.
    """
    counted = {event.use for event in timeline.rf if event.amplitude} - set(READOUT_USES) or set(READOUT_USES)
    measured: list[float] = []
    energy = duration = 0.0
    for block in timeline.blocks():
        if _after_readout(block):
            measured.append(math.sqrt(energy / duration) if duration else 0.0)
            energy = duration = 0.0
        if block.rf is not None and block.rf.use in counted and block.rf.amplitude:
            waveform = timeline.waveforms[block.rf.waveform]
            energy += block.rf.amplitude**2 * waveform.power
            duration += waveform.duration
        if block.adc is not None and not _after_readout(block):
            measured.append(math.sqrt(energy / duration) if duration else 0.0)
            energy = duration = 0.0
    return np.array(measured)


def _after_readout(block: Block) -> bool:
    """Whether the RF of a block begins after its ADC event."""
    return block.rf is not None and block.adc is not None and block.rf.delay > block.adc.delay
