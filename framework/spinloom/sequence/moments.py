"""Gradient moments: what a spin at r gains in phase, in cycles, is the moment times r."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.timeline import AXES, Block


def block_moment(block: Block, times: np.ndarray) -> np.ndarray:
    """Moment along x, y, z from the block's begin to each of `times` after it [s], in cycles/m, shape `(3, times)`."""
    moments = np.zeros((3, times.size))
    for row, axis in enumerate(AXES):
        if axis in block.gradients:
            moments[row] = block.gradients[axis].moment_at(times)
    return moments
