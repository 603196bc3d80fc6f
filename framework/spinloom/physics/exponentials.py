"""Exponentials of many small matrices side by side: scaling, a Taylor polynomial, squaring.

A lane (`lanes`) is one matrix.  The matrices are generators in the units of `star.Star.balanced` under RF along x: with
J the diagonal of `signs` they are J A^T J, and so are their powers and exponentials, of which only half the elements
must be computed.  Beside them stands the source's column, as if above a last row of zeros.

Scaled to a norm of 1.3 the polynomial of degree 19 leaves 1e-16; it takes seven products (Paterson and Stockmeyer,
SIAM J Comput 1973;2:60).  Every squaring doubles the rounding that came before it, so a longer polynomial is worth
more than its two products.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spinloom.physics.lanes import LANES, load, spread, store

_SCALED = 1.3
_DEGREE = 19


@njit(cache=True)
def matrices(size):  # type: ignore[no-untyped-def]
    """Room for `exponentiate`: six matrices of `size` rows, each row aligned, a column for the source at its end."""
    wide = row_length(size)
    length = (size + size % 2) * wide
    memory = np.zeros((6 * length + LANES,))
    return memory[(-memory.ctypes.data) % 64 // 8 :][: 6 * length].reshape(6, length)


@njit(cache=True, inline="always")
def row_length(size):  # type: ignore[no-untyped-def]
    """Numbers in a row of such a matrix: an even number of columns, and the source's as the last."""
    return (size + size % 2 + 1) * LANES


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def exponentiate(room, signs):  # type: ignore[no-untyped-def]
    """Exponential of the matrix at the begin of `room`, which must be zero where nothing stands; gives its place there.

    room: as `matrices` makes it; signs: of J, shape `(size,)`
    """
    size, wide = signs.shape[0], row_length(signs.shape[0])
    x, x2, x3, x4, e, scratch = room[0], room[1], room[2], room[3], room[4], room[5]
    norm = _norm(x, size)
    squarings = max(0, math.ceil(math.log2(norm / _SCALED))) if norm > 0 else 0
    scale = 0.5**squarings
    for at in range(0, size * wide, LANES):
        store(x, at, scale * load(x, at))
    _multiply(x, x, x2, signs, 0.0)
    _multiply(x2, x, x3, signs, 0.0)
    _multiply(x2, x2, x4, signs, 0.0)
    share = 1.0
    for k in range(2, _DEGREE - 2):
        share /= k
    _combine(e, x, x2, x3, size, _DEGREE - 3, share, 0.0)
    place = 4
    for k in range(_DEGREE - 7, -1, -4):
        # e is a polynomial of x whose last row holds its constant, 1 / (k + 4)!, alone
        _multiply(x4, e, scratch, signs, share)
        share *= (k + 4) * (k + 3) * (k + 2) * (k + 1)
        _combine(scratch, x, x2, x3, size, k, share, 1.0)
        e, scratch, place = scratch, e, 9 - place
    for _ in range(squarings):
        _multiply(e, e, scratch, signs, 1.0)
        e, scratch, place = scratch, e, 9 - place
    return place


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _norm(x, size):  # type: ignore[no-untyped-def]
    """Largest sum of a row's absolute values in any lane."""
    wide, norm = row_length(size), 0.0
    total = np.empty(LANES)
    for row in range(size):
        total[:] = 0.0
        for column in range(size):
            for lane in range(LANES):
                total[lane] += abs(x[row * wide + column * LANES + lane])
        norm = max(norm, total.max())
    return norm


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _combine(e, x, x2, x3, size, k, share, kept):  # type: ignore[no-untyped-def]
    """`e = kept e + share (1 + x / (k+1) + x2 / ((k+1)(k+2)) + x3 / ((k+1)(k+2)(k+3)))`."""
    wide = row_length(size)
    first = share / (k + 1)
    second = first / (k + 2)
    third = second / (k + 3)
    for at in range(0, size * wide, LANES):
        terms = first * load(x, at) + second * load(x2, at) + third * load(x3, at)
        store(e, at, kept * load(e, at) + terms)
    for at in range(0, size * wide, wide + LANES):
        store(e, at, load(e, at) + spread(share))


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _multiply(left, right, out, signs, last):  # type: ignore[no-untyped-def]
    """`out = left right`, which commute; the last rows are (0, ..., 0, `last` of the right one)."""
    size, wide = signs.shape[0], row_length(signs.shape[0])
    source = wide - LANES
    for row in range(0, size, 2):
        a = row * wide
        for column in range(row, size, 2):
            b = column * LANES
            s00, s01, s10, s11 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
            for k in range(size):
                l0, l1 = load(left, a + k * LANES), load(left, a + wide + k * LANES)
                r0, r1 = load(right, k * wide + b), load(right, k * wide + b + LANES)
                s00, s01, s10, s11 = s00 + l0 * r0, s01 + l0 * r1, s10 + l1 * r0, s11 + l1 * r1
            store(out, a + b, s00)
            store(out, a + b + LANES, s01)
            store(out, a + wide + b, s10)
            store(out, a + wide + b + LANES, s11)
            if column > row:
                here, other = signs[row], signs[min(row + 1, size - 1)]
                across, beside = signs[column], signs[min(column + 1, size - 1)]
                mirror = column * wide + row * LANES
                store(out, mirror, (here * across) * s00)
                store(out, mirror + LANES, (other * across) * s10)
                store(out, mirror + wide, (here * beside) * s01)
                store(out, mirror + wide + LANES, (other * beside) * s11)
        s0, s1 = last * load(left, a + source), last * load(left, a + wide + source)
        for k in range(size):
            r0 = load(right, k * wide + source)
            s0, s1 = s0 + load(left, a + k * LANES) * r0, s1 + load(left, a + wide + k * LANES) * r0
        store(out, a + source, s0)
        store(out, a + wide + source, s1)
