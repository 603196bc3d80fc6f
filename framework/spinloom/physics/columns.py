"""Propagators of eight jobs side by side, by columns: room for them, the second half of a symmetric pulse, writing out.

With J = -1 on the y components and 1 elsewhere the generator is J A^T J in the units of `star.Star.balanced`, so that
the second half of a pulse that is symmetric in time, which plays the first one backwards, has the propagator J U^T J.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spinloom.physics.lanes import LANES, load, spread, store


@njit(cache=True)
def rows(count):  # type: ignore[no-untyped-def]
    """Rows of lanes, zero, that begin at a border of the cache's lines."""
    memory = np.zeros((count + 1) * LANES)
    return memory[(-memory.ctypes.data) % 64 // 8 :]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def mirror(columns, whole, pools, bound):  # type: ignore[no-untyped-def]
    """Both halves of a symmetric pulse from the first one's columns; its last two are the source's early and late."""
    size = 3 * pools + bound
    row = size * LANES
    for left in range(size):
        for right in range(left, size + 1):
            total = spread(0.0)
            for i in range(0, row, LANES):
                product = load(columns, left * row + i) * load(columns, right * row + i)
                total = total - product if pools * LANES <= i < 2 * pools * LANES else total + product
            sign = -1.0 if pools <= left < 2 * pools else 1.0
            if right == size:
                late = load(columns, (size + 1) * row + left * LANES)
                store(whole, size * row + left * LANES, sign * total + late)
            else:
                store(whole, right * row + left * LANES, sign * total)
                sign = -1.0 if pools <= right < 2 * pools else 1.0
                store(whole, left * row + right * LANES, sign * total)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def write(columns, lane, scale, out):  # type: ignore[no-untyped-def]
    """One lane in units of magnetisation, shape `(size + 1, size)`; scale: of its tissue, shape `(size,)`."""
    size = scale.shape[0]
    for column in range(out.shape[0]):
        share = 1.0 / scale[column] if column < size else 1.0
        for i in range(size):
            out[column, i] = share * scale[i] * columns[(column * size + i) * LANES + lane]
