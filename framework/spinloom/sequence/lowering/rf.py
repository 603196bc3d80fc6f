"""RF events: envelopes as cells of constant value.

A sample without a time shape holds for one raster cell.  So do points of a time shape that lie at the centres of
equal cells from the pulse's begin on (125, 375, 625, ... are cells of 250): this is how a coarser dwell time is
written.  Other points are joined by straight lines in the complex plane, as pypulseq draws them; before the first point
there is no RF.  A line that is not flat is cut at raster times into cells that take its value at their middle,
so that area is kept, and `RfWaveform.exact` says that it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.events import RfEvent, RfWaveform
from spinloom.sequence.lowering.shapes import Shapes
from spinloom.sequence.shape import Shape, refuse_oversized

MAX_CELLS = 8_000_000
"""All distinct waveforms of a file together take at most this many cells: 200 MB."""

SHORTEST = 1e-3
"""A pulse with a time shape lasts at least this many rasters; less is rounding."""

LATE = 1e-6
"""A pulse's centre may be stated this much after its end [s]: files round times to a microsecond."""

_USES = {
    "e": "excitation",
    "r": "refocusing",
    "i": "inversion",
    "s": "saturation",
    "p": "preparation",
    "o": "other",
}

NO_TIME = 1e-9
"""Borders of cells closer than this are one [rasters]: rounding parts them, no file does."""


def lower_rf(
    sequence: Any, raster: float, shapes: Shapes, stated: bool
) -> tuple[tuple[RfWaveform, ...], dict[int, RfEvent]]:
    """Distinct envelopes, and RF events by their ids; stated: whether the file states the centres of pulses."""
    waveforms: list[RfWaveform] = []
    positions: dict[tuple[int, int, int], int] = {}
    events: dict[int, RfEvent] = {}
    cells = 0
    for key, data in sequence.rf_library.data.items():
        form = (int(data[1]), int(data[2]), int(data[3]))
        if form not in positions:
            positions[form] = len(waveforms)
            waveforms.append(_waveform(form, f"RF event {int(key)}", raster, shapes))
            cells += waveforms[-1].durations.size
            if cells > MAX_CELLS:
                raise SequenceError(f"the RF events change {cells:,} times or more; {MAX_CELLS:,} are decoded at most.")
        position = positions[form]
        centre = _centre(key, data, waveforms[position], stated)
        events[int(key)] = _event(data, position, sequence.rf_library.type.get(key, "u"), centre)
    return tuple(waveforms), events


def _centre(key: Any, data: Any, waveform: RfWaveform, stated: bool) -> float:
    """Centre of a pulse after its begin [s]: what the file states, or else that of the waveform."""
    if not stated:
        return waveform.centre
    centre = float(data[4])
    if centre > waveform.duration + LATE:
        raise SequenceError(
            f"RF event {int(key)} lasts {waveform.duration:g} s, but its centre is stated {centre:g} s after its begin."
        )
    return centre


def _event(data: Any, waveform: int, use: str, centre: float) -> RfEvent:
    """An event from a row of pypulseq's library, whatever version the row was written in."""
    return RfEvent(
        waveform=waveform,
        amplitude=float(data[0]),
        delay=float(data[5]),
        frequency_offset=float(data[8]),
        phase_offset=float(data[9]),
        frequency_ppm=float(data[6]),
        phase_ppm=float(data[7]),
        use=_USES.get(use, "undefined"),
        centre=centre,
    )


def _waveform(form: tuple[int, int, int], user: str, raster: float, shapes: Shapes) -> RfWaveform:
    magnitude_id, phase_id, time_id = form
    magnitude = shapes(magnitude_id, user)
    phase = shapes(phase_id, user) if phase_id else Shape(np.zeros(1), np.array([magnitude.size]))
    if phase.size != magnitude.size:
        raise SequenceError(f"{user} has {magnitude.size} samples of magnitude and {phase.size} of phase.")
    if time_id == 0:
        return _from_samples(magnitude, phase, raster)
    timing = shapes(time_id, user)
    if timing.size != magnitude.size:
        raise SequenceError(f"{user} has {magnitude.size} samples at {timing.size} times.")
    if not timing.rises or timing.last < SHORTEST:
        raise SequenceError(f"{user} has a time shape that does not rise from 0; its points must follow each other.")
    times, values = timing.samples(), _envelope(magnitude.samples(), phase.samples())
    cell = 2 * times[0]
    if np.all(np.abs(times - (np.arange(times.size) + 0.5) * cell) < 1e-6 + 1e-8 * times[-1]):
        return RfWaveform(np.full(times.size, cell * raster), values, exact=True)
    return _from_points(times, values, raster)


def _envelope(sizes: np.ndarray, turns: np.ndarray) -> np.ndarray:
    return sizes * np.exp(2j * np.pi * turns)


def _from_samples(magnitude: Shape, phase: Shape, raster: float) -> RfWaveform:
    """One sample a raster cell, on the union of the constant runs of both shapes."""
    (sizes, size_counts), (turns, turn_counts) = magnitude.runs(), phase.runs()
    size_ends, turn_ends = np.cumsum(size_counts), np.cumsum(turn_counts)
    ends = np.union1d(size_ends, turn_ends)
    values = _envelope(sizes[np.searchsorted(size_ends, ends)], turns[np.searchsorted(turn_ends, ends)])
    return RfWaveform(np.diff(ends, prepend=0) * raster, values, exact=True)


def _from_points(times: np.ndarray, values: np.ndarray, raster: float) -> RfWaveform:
    """Straight lines between points, cut into raster cells where they are not flat.

    times: of the points in rasters, rising, shape `(points,)`; the pulse ends with the last raster cell begun
    values: complex envelope at the points, shape `(points,)`
    """
    sloped = np.diff(values) != 0
    borders = np.union1d(np.append(times, 0.0), _whole_numbers_between(times[:-1][sloped], times[1:][sloped]))
    borders = borders[np.append(True, np.diff(borders) > NO_TIME)]
    middles = (borders[1:] + borders[:-1]) / 2
    cells, envelope = np.diff(borders), np.interp(middles, times, values, left=0.0)
    rest = np.ceil(times[-1] - 1e-6) - times[-1]
    if rest > 1e-6:
        cells, envelope = np.append(cells, rest), np.append(envelope, 0.0)
    return RfWaveform(cells * raster, envelope, exact=not sloped.any())


def _whole_numbers_between(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The whole numbers inside the intervals `(start, end)`, in rising order."""
    first = np.floor(starts) + 1
    counts = np.maximum(np.ceil(ends) - first, 0)
    refuse_oversized(int(counts.sum()))
    counts = counts.astype(np.int64)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + offsets
