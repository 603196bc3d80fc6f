"""Compiled loops of the fast engine: cells far off resonance chained, and trains played step by step."""

from __future__ import annotations

import numpy as np
from numba import njit

from spinloom.sequence.atoms import FREE, PULSE, SAMPLE, SPOIL


@njit(cache=True, nogil=True)
def chain(nodes, weights, bound, out):  # type: ignore[no-untyped-def]
    """Products of cells whose propagators are weighted sums of those at a few amplitudes.

    nodes: shape `(tissues, nodes, n, n)`; weights: shape `(cells, nodes)`
    bound: factors on the rows of the semisolid pools, which stand before the last, shape `(cells, tissues, bound)`
    out: shape `(tissues, n, n)`
    """
    tissues, count, n = nodes.shape[0], nodes.shape[1], nodes.shape[2]
    pools = bound.shape[2]
    cell = np.empty((n, n))
    for tissue in range(tissues):
        total = np.eye(n)
        for c in range(weights.shape[0]):
            cell[:] = 0.0
            for k in range(count):
                weight = weights[c, k]
                for row in range(n):
                    for column in range(n):
                        cell[row, column] += weight * nodes[tissue, k, row, column]
            for s in range(pools):
                for column in range(n):
                    cell[n - 1 - pools + s, column] *= bound[c, tissue, s]
            total = np.dot(cell, total)
        out[tissue] = total


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def play_train(kind, index, cosine, sine, pulse, across, along, start, reset, pools, mz, mx, my):  # type: ignore[no-untyped-def]
    """Play steps on one tissue after the other.

    kind: as `sequence.atoms` numbers them; index: of the propagator or the sample
    cosine, sine: of the turn before each pulse or at each sample
    pulse: propagators by columns, the source's last, shape `(distinct, tissues, size + 1, size)`
    across, along: of delays, as `constant_pulses.Delays` has them
    start: magnetisation at the start and after each reset, transverse components zero, shape `(tissues, size)`
    mz, mx, my: of water at each sample, written here, shape `(tissues, samples)`
    """
    tissues, size = start.shape
    z = 2 * pools
    state, new = np.ones(size + 1), np.ones(size + 1)
    for tissue in range(tissues):
        state[:size] = start[tissue]
        dark = True
        for step in range(kind.shape[0]):
            what, which = kind[step], index[step]
            if what == PULSE:
                if not dark:
                    _turn(state, cosine[step], sine[step], pools)
                _apply(pulse[which, tissue], state, new)
                state, new = new, state
                dark = False
            elif what == FREE:
                _apply(along[which, tissue], state[z:], new[z:])
                if dark:
                    new[:z] = 0.0
                else:
                    _apply(across[which, tissue], state[:z], new[:z])
                state, new = new, state
            elif what == SPOIL:
                state[:z] = 0.0
                dark = True
            elif what == SAMPLE:
                mx[tissue, which] = cosine[step] * state[0] - sine[step] * state[pools]
                my[tissue, which] = sine[step] * state[0] + cosine[step] * state[pools]
                mz[tissue, which] = state[z]
            elif reset:
                state[:size] = start[tissue]
                dark = True


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _apply(columns, state, new):  # type: ignore[no-untyped-def]
    """`new` from `state` by a propagator's columns, four of them at a time."""
    count, rows = columns.shape
    for row in range(rows):
        new[row] = 0.0
    fours = count - count % 4
    for c in range(0, fours, 4):
        s0, s1, s2, s3 = state[c], state[c + 1], state[c + 2], state[c + 3]
        for row in range(rows):
            new[row] += (
                s0 * columns[c, row] + s1 * columns[c + 1, row] + s2 * columns[c + 2, row] + s3 * columns[c + 3, row]
            )
    for c in range(fours, count):
        s0 = state[c]
        for row in range(rows):
            new[row] += s0 * columns[c, row]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True, inline="always")
def _turn(state, cosine, sine, pools):  # type: ignore[no-untyped-def]
    for i in range(pools):
        x, y = state[i], state[pools + i]
        state[i] = cosine * x - sine * y
        state[pools + i] = sine * x + cosine * y
