"""Gradient events: trapezoids, arbitrary waveforms and extended trapezoids, with the ends that old files leave out.

Before version 1.5 a sampled gradient does not state its value at its begin and end.  It begins with what the block
before left on its axis where it is first played, or from 0 after a delay; it ends on its last point where it has a time
shape, and otherwise on the line through its last two samples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.gradient import GradientEvent
from spinloom.sequence.lowering.shapes import Shapes
from spinloom.sequence.timeline import Timeline


def lower_gradients(sequence: Any, raster: float, shapes: Shapes) -> dict[int, GradientEvent]:
    """Gradient events by their ids; ends that the file does not state are NaN until `with_ends`."""
    library = sequence.grad_library
    return {
        int(key): _trapezoid(data, raster) if library.type[key] == "t" else _sampled(int(key), data, raster, shapes)
        for key, data in library.data.items()
    }


def _trapezoid(data: Any, raster: float) -> GradientEvent:
    """A trapezoid; pypulseq gives old ones of amplitude 0 a ramp, which must not make the flat time negative."""
    rise, flat, fall, delay = (max(float(value), 0.0) for value in data[1:5])
    knots = (0.0, rise, rise + flat, rise + flat + fall)
    return GradientEvent("trapezoid", float(data[0]), delay, knots, None, None, False, 0.0, 0.0, raster)


def _sampled(key: int, data: Any, raster: float, shapes: Shapes) -> GradientEvent:
    first, last, time_id, user = data[1], data[2], int(data[4]), f"gradient {key}"
    waveform = shapes(data[3], user)
    if time_id < -1:
        raise SequenceError(f"{user} has time shape {time_id}; gradients have 0, -1 or the id of a shape.")
    timing = shapes(time_id, user) if time_id > 0 else None
    if timing is not None and timing.size != waveform.size:
        raise SequenceError(f"{user} has {waveform.size} samples at {timing.size} times.")
    if timing is not None and not timing.rises:
        raise SequenceError(f"{user} has a time shape that does not rise from 0; its points must follow each other.")
    return GradientEvent(
        kind="arbitrary" if timing is None else "extended",
        amplitude=float(data[0]),
        delay=float(data[5]),
        knots=None,
        waveform=waveform,
        timing=timing,
        oversampled=time_id == -1,
        first=float("nan") if first is None else float(first),
        last=float("nan") if last is None else float(last),
        raster=raster,
    )


def with_ends(timeline: Timeline) -> tuple[GradientEvent, ...]:
    """The gradients of a timeline whose block durations are known, with the ends filled in that its file leaves out."""
    gradients = list(timeline.gradients)
    unknown = np.array([np.isnan(gradient.first) for gradient in gradients], dtype=bool)
    axis_of, block_of = _first_plays(timeline)
    for index in sorted(np.flatnonzero(unknown).tolist(), key=lambda event: block_of[event]):
        gradient, axis, block = gradients[index], int(axis_of[index]), int(block_of[index])
        begin = 0.0 if gradient.delay > 0 else _left_behind(timeline, gradients, axis, block)
        gradients[index] = replace(gradient, first=begin, last=_extrapolated_end(gradient))
    return tuple(gradients)


def _first_plays(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """Axis and block that play each gradient first; axis 0 and block 0 where none does."""
    in_playing_order = timeline.block_gradient.T.ravel()
    events, positions = np.unique(in_playing_order, return_index=True)
    first = np.zeros(len(timeline.gradients), dtype=np.int64)
    first[events[events >= 0]] = positions[events >= 0]
    return first % 3, first // 3


def _left_behind(timeline: Timeline, gradients: list[GradientEvent], axis: int, block: int) -> float:
    """Gradient that the block before `block` leaves on `axis` at its end [Hz/m]."""
    before = int(timeline.block_gradient[axis, block - 1]) if block > 0 else -1
    if before < 0 or gradients[before].knots is not None:
        return 0.0
    ends_with_block = gradients[before].duration >= timeline.block_duration[block - 1] - 1e-9
    return gradients[before].last if ends_with_block else 0.0


def _extrapolated_end(gradient: GradientEvent) -> float:
    """Value at the end of a sampled gradient [Hz/m]: half a cell after its last sample, a whole one if oversampled."""
    assert gradient.waveform is not None
    ahead = 0.0 if gradient.timing is not None else 1.0 if gradient.oversampled else 0.5
    step = float(gradient.waveform.increments[-1]) if gradient.waveform.size > 1 else 0.0
    return gradient.amplitude * (gradient.waveform.last + ahead * step)
