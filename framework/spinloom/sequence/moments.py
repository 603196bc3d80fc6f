"""Gradient moments: what a spin at r gains in phase, in cycles, is the moment times r."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.events import rotation_in
from spinloom.sequence.timeline import AXES, Block, Timeline


def block_moment(block: Block, times: np.ndarray) -> np.ndarray:
    """Moment along x, y, z from the block's begin to each of `times` after it [s], in cycles/m, shape `(3, times)`."""
    moments = np.zeros((3, times.size))
    for row, axis in enumerate(AXES):
        if axis in block.gradients:
            moments[row] = block.gradients[axis].moment_at(times)
    rotation = rotation_in(block.extensions)
    return moments if rotation is None else rotation.matrix @ moments


def whole_moments(timeline: Timeline) -> np.ndarray:
    """Moment of every block along x, y, z as played [cycles/m], shape `(blocks, 3)`."""
    played = set(np.unique(timeline.block_gradient).tolist())
    moment = [event.moment if number in played else 0.0 for number, event in enumerate(timeline.gradients)]
    moments = np.append(moment, 0.0)[timeline.block_gradient].T  # the last one stands for -1, no gradient
    for number, items in enumerate(timeline.extensions):
        rotation = rotation_in(items)
        if rotation is not None:
            turned = timeline.block_extension == number
            moments[turned] = moments[turned] @ rotation.matrix.T
    return np.ascontiguousarray(moments)
