"""A block's pulse and readouts as spins with a place play them: cells of constant RF, samples about their middle."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.moments import block_moment
from spinloom.sequence.spatial_steps import DIGITS, SpatialPulse, SpatialReadout
from spinloom.sequence.timeline import AdcEvent, Block, RfEvent, RfWaveform
from spinloom.units import PPM

SAME_TIME = 1e-9
"""Times closer than this are the same [s]: the sums that they come from round."""


def pulse_of(waveform: RfWaveform, block: Block, rf: RfEvent, frequency: float) -> SpatialPulse:
    """Cells of the pulse's own segments, cut where a gradient bends or slopes; frequency: of the pulse [Hz]."""
    edges = np.concatenate([[0.0], np.cumsum(waveform.durations)]) + rf.delay
    extra = [_slope_edges(gradient.points(), edges[0], edges[-1]) for gradient in block.gradients.values()]
    cells = np.unique(np.round(np.concatenate([edges, *extra]), DIGITS))
    durations = np.diff(cells)
    middle = (cells[1:] + cells[:-1]) / 2
    segment = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, waveform.values.size - 1)
    gradient = (np.diff(block_moment(block, cells), axis=1) / durations).T
    return SpatialPulse(durations, rf.amplitude * waveform.values[segment], gradient, frequency)


def _slope_edges(points: tuple[np.ndarray, np.ndarray], start: float, end: float, cells: int = 32) -> np.ndarray:
    """Times between `start` and `end` at which a gradient bends, and `cells` cuts of each stretch that slopes."""
    times, values = points
    slopes = np.flatnonzero((np.diff(values) != 0) & (times[1:] > start) & (times[:-1] < end))
    cuts = [np.linspace(times[left], times[left + 1], cells + 1) for left in slopes if times.size < 3 * cells]
    found = np.concatenate([times, *cuts])
    return found[(found > start + SAME_TIME) & (found < end - SAME_TIME)]


def readouts_of(block: Block, adc: AdcEvent, larmor: float, longest: float) -> list[tuple[float, SpatialReadout]]:
    """The parts of an ADC event, none longer than `longest` [s], each with the time of its middle in the block [s]."""
    times, receiver = adc.sample_times(), _receiver(adc, larmor)
    parts = np.array_split(np.arange(adc.samples), max(1, int(np.ceil(adc.samples * adc.dwell / longest))))
    return [_readout(block, times[part], receiver[part]) for part in parts]


def _readout(block: Block, times: np.ndarray, receiver: np.ndarray) -> tuple[float, SpatialReadout]:
    middle = float(times[0] + times[-1]) / 2
    moments = block_moment(block, np.append(times, middle))
    return middle, SpatialReadout(times - middle, (moments[:, :-1] - moments[:, -1:]).T, receiver)


def _receiver(adc: AdcEvent, larmor: float) -> np.ndarray:
    """Factor that demodulates each sample; the receiver's phase runs from the ADC event's begin."""
    since = (np.arange(adc.samples) + 0.5) * adc.dwell
    frequency = adc.frequency_offset + adc.frequency_ppm * PPM * larmor
    phase = adc.phase_offset + adc.phase_ppm * PPM * larmor + 2 * np.pi * frequency * since
    if adc.phase_shape is not None:
        phase = phase + adc.phase_shape.samples()
    return np.exp(-1j * phase)
