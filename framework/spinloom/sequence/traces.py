"""What a timeline plays, as lines against time: RF magnitude, phase and frequency, gradients, sampling."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.events import rotation_in
from spinloom.sequence.lines import Line, View, on_zero, place, thin
from spinloom.sequence.rotated import played_points, rotated_blocks
from spinloom.sequence.timeline import RfWaveform, Timeline

_DOT_PIXELS = 12
"""A pulse of fewer pixels shows the phase of its peak alone."""


def rf_magnitude(timeline: Timeline, view: View) -> Line:
    """Nutation frequency [Hz] of the RF, zero between pulses."""
    events, starts = _rf_plays(timeline, view)
    waveform, amplitude = _column(timeline, "waveform", int), np.abs(_column(timeline, "amplitude"))

    def outline(index: int) -> Line:
        times, values = _steps(timeline.waveforms[index], np.abs(timeline.waveforms[index].values))
        return thin(np.pad(times, 1, "edge"), np.pad(values, 1), view.pixel)

    return on_zero(place(waveform[events], starts, outline, amplitude[events]), view)


def rf_phase(timeline: Timeline, view: View, larmor: float) -> Line:
    """Phase of the RF [rad, -pi to pi] without the turning of its frequency offset; broken between pulses.

    larmor: Larmor frequency [Hz], which gives phases in ppm their value
    """
    events, starts = _rf_plays(timeline, view)
    offset = np.array([event.phase(larmor) + np.pi * (event.amplitude < 0) for event in timeline.rf])
    times, phase = place(
        _column(timeline, "waveform", int)[events],
        starts,
        lambda index: _phase_outline(timeline.waveforms[index], view.pixel),
        shift=offset[events],
    )
    return times, np.angle(np.exp(1j * phase))


def rf_frequency(timeline: Timeline, view: View, larmor: float) -> Line:
    """Frequency offset of the RF [Hz] at the Larmor frequency `larmor` [Hz]; broken between pulses."""
    events, starts = _rf_plays(timeline, view)
    frequency = np.array([event.frequency(larmor) if event.amplitude else np.nan for event in timeline.rf])

    def outline(index: int) -> Line:
        return np.array([0.0, *[timeline.waveforms[index].duration] * 2]), np.array([0.0, 0.0, np.nan])

    return place(_column(timeline, "waveform", int)[events], starts, outline, shift=frequency[events])


def gradient(timeline: Timeline, view: View, axis: int) -> Line:
    """Gradient [Hz/m] on the axis 0, 1 or 2, as it is played, zero where none is."""
    turned = rotated_blocks(timeline)
    table = np.where(turned, -1, timeline.block_gradient[axis])
    if turned.any():
        any_axis = timeline.block_gradient.max(axis=0)
        table = np.where(turned & (any_axis >= 0), len(timeline.gradients) + np.arange(len(timeline)), table)
    blocks = view.blocks(timeline, table)

    def outline(index: int) -> Line:
        if index < len(timeline.gradients):
            return thin(*timeline.gradients[index].points(), view.pixel)
        return thin(*_played_in(timeline, index - len(timeline.gradients), axis), view.pixel)

    return on_zero(place(table[blocks], timeline.block_start[blocks], outline), view)


def _played_in(timeline: Timeline, number: int, axis: int) -> Line:
    """Gradient on an axis of a block that rotates its gradients."""
    block = timeline.block(number)
    rotation = rotation_in(block.extensions)
    assert rotation is not None
    return played_points(block.gradients, rotation, axis)


def sampling(timeline: Timeline, view: View) -> Line:
    """One while an ADC event samples, zero elsewhere."""
    blocks = view.blocks(timeline, timeline.block_adc)

    def outline(index: int) -> Line:
        adc = timeline.adcs[index]
        return np.repeat([adc.delay, adc.duration], 2), np.array([0.0, 1.0, 1.0, 0.0])

    return on_zero(place(timeline.block_adc[blocks], timeline.block_start[blocks], outline), view)


def _rf_plays(timeline: Timeline, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Visible RF events in playing order, and when their envelopes begin [s]; both of shape `(plays,)`."""
    blocks = view.blocks(timeline, timeline.block_rf)
    events = timeline.block_rf[blocks]
    return events, timeline.block_start[blocks] + _column(timeline, "delay")[events]


def _column(timeline: Timeline, name: str, dtype: type = float) -> np.ndarray:
    return np.array([getattr(event, name) for event in timeline.rf], dtype=dtype)


def _steps(waveform: RfWaveform, values: np.ndarray) -> Line:
    """A line that holds each value for its segment."""
    edges = np.concatenate([[0.0], np.cumsum(waveform.durations)])
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)


def _phase_outline(waveform: RfWaveform, pixel: float) -> Line:
    if waveform.duration < _DOT_PIXELS * pixel:
        peak = int(np.argmax(np.abs(waveform.values)))
        middle = float(waveform.durations[:peak].sum() + waveform.durations[peak] / 2)
        return np.array([middle, middle]), np.array([np.angle(waveform.values[peak]), np.nan])
    times, values = _steps(waveform, waveform.values)
    heard = np.abs(values) > 0
    times, phase = thin(times[heard], np.angle(values[heard]), pixel)
    corners = np.diff(phase, prepend=np.nan, append=np.nan) != 0
    bends = corners[:-1] | corners[1:]
    return np.append(times[bends], times[-1:]), np.append(phase[bends], np.nan)
