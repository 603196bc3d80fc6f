"""The loops of the fast imaging engine: a whole sequence played on one column of isochromats after another.

A column is the isochromats that share a place along the line axis; its lanes run over the other axes.  Time is the
outer loop and lanes the inner one, so that everything a column needs stays in the first-level cache and the vector
units carry isochromats.  A read sums over lanes; what is left, a row over columns for each read, is transformed
afterwards.

Operations, as `plan` writes them (kind, first, second):
    ADVANCE g      M+ *= turn[g]                       RELAX d     Mz = Mz e1[d] + rest[d]
    PHASE j        M+ *= lane_phase[j] column_phase[j]  RESTORE     M+ = 0, Mz = M0
    PULSE p        (M+, Mz) by the affine map p        READ j slot  sums of M+ lane_phase[j] weight[q], j < 0 without
"""

from __future__ import annotations

import numba
import numpy as np

ADVANCE, RELAX, PHASE, PULSE, READ, RESTORE = range(6)

_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _multiply(state, first, factor, row):  # type: ignore[no-untyped-def]
    """Multiply complex row pair `first` of `state` by the pair `row` of `factor`."""
    x, y = state[first], state[first + 1]
    a, b = factor[row, 0], factor[row, 1]
    for i in range(x.size):
        real = x[i] * a[i] - y[i] * b[i]
        y[i] = x[i] * b[i] + y[i] * a[i]
        x[i] = real


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _scale(state, first, real, imaginary):  # type: ignore[no-untyped-def]
    """Multiply complex row pair `first` of `state` by one number."""
    x, y = state[first], state[first + 1]
    for i in range(x.size):
        kept = x[i] * real - y[i] * imaginary
        y[i] = x[i] * imaginary + y[i] * real
        x[i] = kept


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _map_row(target, a, b, c, d, x, y, z):  # type: ignore[no-untyped-def]
    for i in range(target.size):
        target[i] = a[i] * x[i] + b[i] * y[i] + c[i] * z[i] + d[i]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _relax(z, decay, rest):  # type: ignore[no-untyped-def]
    for i in range(z.size):
        z[i] = z[i] * decay[i] + rest[i]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _sum(x):  # type: ignore[no-untyped-def]
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i]
    return total


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _weighted(x, y, a, b):  # type: ignore[no-untyped-def]
    """Sum of (x + iy) (a + ib)."""
    real = x.dtype.type(0)
    imaginary = x.dtype.type(0)
    for i in range(x.size):
        real += x[i] * a[i] - y[i] * b[i]
        imaginary += x[i] * b[i] + y[i] * a[i]
    return real, imaginary


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _weighted_twice(x, y, a, b, c, d):  # type: ignore[no-untyped-def]
    """Sums of (x + iy) (a + ib) and of (x + iy) (c + id), with one reading of x and y."""
    real = x.dtype.type(0)
    imaginary = x.dtype.type(0)
    real2 = x.dtype.type(0)
    imaginary2 = x.dtype.type(0)
    for i in range(x.size):
        real += x[i] * a[i] - y[i] * b[i]
        imaginary += x[i] * b[i] + y[i] * a[i]
        real2 += x[i] * c[i] - y[i] * d[i]
        imaginary2 += x[i] * d[i] + y[i] * c[i]
    return real, imaginary, real2, imaginary2


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _turned(target_x, target_y, x, y, a, b):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        target_x[i] = x[i] * a[i] - y[i] * b[i]
    for i in range(x.size):
        target_y[i] = x[i] * b[i] + y[i] * a[i]


@numba.njit(cache=True, nogil=True)
def play_columns(kinds, firsts, seconds, m0, start, turns, decays, rests, maps, weights, sets, lanes, columns, out):  # type: ignore[no-untyped-def]
    """Play the operations on every column and add the reads to `out`.

    kinds, firsts, seconds: the operations
    m0, start: equilibrium, and Mz before the first operation, `(columns, lanes)`
    turns: `(tables, columns, 2, lanes)`; decays, rests: `(tables, columns, lanes)`
    maps: `(pulses, columns, 12, lanes)`
    weights: `(weights, columns, 2, lanes)`; sets: `(sets, 3)`, first row of `weights`, how many, and whether an
        unweighted sum comes first
    lanes: phases along the lanes `(phases, 2, lanes)`; columns: `(phases, columns, 2)`
    out: `(columns, slots, sums, 2)`; `seconds` of a read is its slot times the number of sets, plus its set
    """
    count = m0.shape[1]
    state = np.zeros((8, count), dtype=m0.dtype)
    for column in range(m0.shape[0]):
        state[:] = 0
        state[2] = start[column]
        now = 0  # state rows 0..2, or 3..5 after an odd number of pulses
        for op in range(kinds.size):
            kind, first = kinds[op], firsts[op]
            if kind == ADVANCE:
                _multiply(state, now, turns[first], column)
            elif kind == READ:
                slot, chosen = seconds[op] // sets.shape[0], seconds[op] % sets.shape[0]
                x, y = state[now], state[now + 1]
                if first >= 0:
                    _turned(state[6], state[7], x, y, lanes[first, 0], lanes[first, 1])
                    x, y = state[6], state[7]
                sums = out[column, slot]
                place = 0
                if sets[chosen, 2] == 1:
                    sums[0, 0] += _sum(x)
                    sums[0, 1] += _sum(y)
                    place = 1
                row, last = sets[chosen, 0], sets[chosen, 0] + sets[chosen, 1]
                while row + 1 < last:
                    w, v = weights[row, column], weights[row + 1, column]
                    real, imaginary, real2, imaginary2 = _weighted_twice(x, y, w[0], w[1], v[0], v[1])
                    sums[place, 0] += real
                    sums[place, 1] += imaginary
                    sums[place + 1, 0] += real2
                    sums[place + 1, 1] += imaginary2
                    place += 2
                    row += 2
                if row < last:
                    real, imaginary = _weighted(x, y, weights[row, column, 0], weights[row, column, 1])
                    sums[place, 0] += real
                    sums[place, 1] += imaginary
            elif kind == PULSE:
                rows = maps[first, column]
                x, y, z = state[now], state[now + 1], state[now + 2]
                then = 3 - now
                for row in range(3):
                    at = 4 * row
                    _map_row(state[then + row], rows[at], rows[at + 1], rows[at + 2], rows[at + 3], x, y, z)
                now = then
            elif kind == RELAX:
                _relax(state[now + 2], decays[first, column], rests[first, column])
            elif kind == PHASE:
                _multiply(state, now, lanes, first)
                _scale(state, now, columns[first, column, 0], columns[first, column, 1])
            else:
                state[now] = 0
                state[now + 1] = 0
                state[now + 2] = m0[column]
