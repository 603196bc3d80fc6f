"""Gradients as they are played where a block rotates them: one line on each axis out of those of all three."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinloom.sequence.events import Rotation, rotation_in
from spinloom.sequence.gradient import GradientEvent
from spinloom.sequence.timeline import AXES, Timeline

Points = tuple[np.ndarray, np.ndarray]


def rotated_blocks(timeline: Timeline) -> np.ndarray:
    """Whether each block rotates its gradients, shape `(blocks,)`."""
    rotates = [rotation_in(items) is not None for items in timeline.extensions]
    return np.append(rotates, False).astype(bool)[timeline.block_extension]


def played_points(gradients: Mapping[str, GradientEvent], rotation: Rotation, axis: int) -> Points:
    """Times after the block's begin [s] and gradient [Hz/m] that straight lines join on the axis 0, 1 or 2.

    Two points stand at each time, before and after a jump.
    """
    events = {name: gradient.points() for name, gradient in gradients.items()}
    times = np.unique(np.concatenate([points[0] for points in events.values()]))
    values = np.zeros((2, times.size))
    for name, points in events.items():
        values += rotation.matrix[axis, AXES.index(name)] * _limits(times, *points)
    return np.repeat(times, 2), values.T.ravel()


def _limits(times: np.ndarray, points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Value of a gradient just before and just after each time; 0 outside of it; shape `(2, times)`."""
    found = np.zeros((2, times.size))
    for row, side in enumerate(("left", "right")):
        left = np.searchsorted(points, times, side=side) - 1  # type: ignore[call-overload]
        inside = (left >= 0) & (left < points.size - 1)
        at = left[inside]
        share = (times[inside] - points[at]) / (points[at + 1] - points[at])
        found[row, inside] = values[at] + share * (values[at + 1] - values[at])
    return found
