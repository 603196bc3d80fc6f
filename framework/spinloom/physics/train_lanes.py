"""Trains of few pools played on lanes: sixteen tissues side by side, so that small propagators fill the vector units.

Propagators of the sixteen are first laid out with the tissue as fastest axis; every step is then a few operations on
whole vectors.  It pays for propagators that stay in the second-level cache (`fits`); larger ones fill vectors
by their rows, one tissue after the other (`trains.play_train`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spinloom.sequence.atoms import FREE, PULSE, SAMPLE, SPOIL

LANES = 16
"""Tissues side by side: two vectors of eight."""

CACHE = 2**19
"""Bytes of propagators that a block may take."""


def fits(tissues: int, distinct: int, size: int) -> bool:
    """Whether trains are played on lanes, for so many distinct propagators."""
    return tissues >= LANES // 2 and distinct * size * (size + 1) * LANES * 8 <= CACHE


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def play_lanes(kind, index, cosine, sine, pulse, across, along, start, reset, pools, mz, mx, my):  # type: ignore[no-untyped-def]
    """What `trains.play_train` does, of the same arguments."""
    tissues, size = start.shape
    z = 2 * pools
    state, new, begin = np.ones((size + 1, LANES)), np.ones((size + 1, LANES)), np.ones((size + 1, LANES))
    pulses = np.empty((pulse.shape[0], size + 1, size, LANES))
    crossing = np.empty((across.shape[0], z, z, LANES))
    growing = np.empty((along.shape[0], size + 1 - z, size - z, LANES))
    for block in range(0, tissues, LANES):
        filled = min(LANES, tissues - block)
        _load(pulse, block, filled, pulses)
        _load(across, block, filled, crossing)
        _load(along, block, filled, growing)
        for lane in range(LANES):
            for row in range(size):
                begin[row, lane] = start[block + min(lane, filled - 1), row]
        state[:] = begin
        for step in range(kind.shape[0]):
            what, which = kind[step], index[step]
            if what == PULSE:
                _turn(state, cosine[step], sine[step], pools)
                _apply(pulses[which], state, new)
                state, new = new, state
            elif what == FREE:
                _apply(crossing[which], state[:z], new[:z])
                _apply(growing[which], state[z:], new[z:])
                state, new = new, state
            elif what == SPOIL:
                state[:z] = 0.0
            elif what == SAMPLE:
                for lane in range(filled):
                    x, y = state[0, lane], state[pools, lane]
                    mx[block + lane, which] = cosine[step] * x - sine[step] * y
                    my[block + lane, which] = sine[step] * x + cosine[step] * y
                    mz[block + lane, which] = state[z, lane]
            elif reset:
                state[:] = begin


@njit(cache=True, nogil=True)
def _load(matrices, block, filled, out):  # type: ignore[no-untyped-def]
    """Propagators of a block of tissues with the tissue last; the last one fills what is left of the lanes."""
    for number in range(out.shape[0]):
        for lane in range(LANES):
            source = block + min(lane, filled - 1)
            for column in range(out.shape[1]):
                for row in range(out.shape[2]):
                    out[number, column, row, lane] = matrices[number, source, column, row]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _apply(columns, state, new):  # type: ignore[no-untyped-def]
    """`new` from `state` by a propagator's columns, two of them at a time."""
    count, rows = columns.shape[0], columns.shape[1]
    for row in range(rows):
        for lane in range(LANES):
            new[row, lane] = columns[0, row, lane] * state[0, lane]
    for c in range(1, count - 1, 2):
        for row in range(rows):
            for lane in range(LANES):
                new[row, lane] += (
                    columns[c, row, lane] * state[c, lane] + columns[c + 1, row, lane] * state[c + 1, lane]
                )
    if count % 2 == 0:
        for row in range(rows):
            for lane in range(LANES):
                new[row, lane] += columns[count - 1, row, lane] * state[count - 1, lane]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _turn(state, cosine, sine, pools):  # type: ignore[no-untyped-def]
    for i in range(pools):
        for lane in range(LANES):
            x, y = state[i, lane], state[pools + i, lane]
            state[i, lane] = cosine * x - sine * y
            state[pools + i, lane] = sine * x + cosine * y
