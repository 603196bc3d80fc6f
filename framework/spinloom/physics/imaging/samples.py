"""The sums of a block of isochromats at samples that follow each other, on vector registers.

M+ goes from sample to sample by a complex product of three multiplications: with k = a (x + y),
(x + iy) (a + ib) = (k - y (a + b)) + i (k + x (b - a)).
"""

from __future__ import annotations

import numba

from spinloom.physics.imaging.elementary import turn
from spinloom.physics.imaging.registers import (
    lanes_at,
    load,
    load_block,
    repeat,
    spread_rows,
    store,
    sum_rows,
    total,
)


@numba.njit(cache=True, nogil=True)
def take_samples(tile, at, size, segments, begin, count, x, y, rows, row, columns, column, strides, out, start):  # type: ignore[no-untyped-def]
    """Add the sums of M+, which is x + iy at the middle of a readout, to a real and an imaginary register a sample.

    segments: `(segments, 6)` as `sampling` has them, times and moments replaced by places and rows of phases
    begin, count: which of them; rows to strides: as `tile_kernel` has them
    out, start: pointer to all samples, and where the readout's first one lies
    """
    lanes = lanes_at(tile)
    for segment in range(begin, begin + count):
        step, wait = segments[segment, 4] + at, segments[segment, 5] + at
        x, y = turn(x, y, load_block(tile, wait), load_block(tile, wait + size))
        a, b = load_block(tile, step), load_block(tile, step + size)
        phase, first = segments[segment, 3], start + segments[segment, 1] * 2 * lanes
        last = first + segments[segment, 2] * 2 * lanes
        u, v = x, y
        i, j = phase * strides[0] + row, phase * strides[1] + column
        if segments[segment, 0] == 1:
            apart, together = b - a, a + b
            for to in range(first, last, 2 * lanes):
                p, q = turn(u, v, spread_rows(rows, i), spread_rows(rows, i + strides[0]))
                p1, q1 = turn(sum_rows(p), sum_rows(q), load(columns, j), load(columns, j + strides[1]))
                store(out, to, load(out, to) + p1)
                store(out, to + lanes, load(out, to + lanes) + q1)
                product = a * (u + v)
                u, v = product - v * together, product + u * apart
                i, j = i + 2 * strides[0], j + 2 * strides[1]
        else:
            u, v = under_moment(u, v, rows, i, columns, j, strides)
            a, b = under_moment(a, b, rows, i + 2 * strides[0], columns, j + 2 * strides[1], strides)
            apart, together = b - a, a + b
            for to in range(first, last, 2 * lanes):
                store(out, to, load(out, to) + sum_rows(u))
                store(out, to + lanes, load(out, to + lanes) + sum_rows(v))
                product = a * (u + v)
                u, v = product - v * together, product + u * apart


@numba.njit(cache=True, nogil=True, forceinline=True)
def under_moment(x, y, rows, i, columns, j, strides):  # type: ignore[no-untyped-def]
    """x + iy turned by the phases of rows from `i` on and of columns from `j` on."""
    x, y = turn(x, y, repeat(load(columns, j)), repeat(load(columns, j + strides[1])))
    return turn(x, y, spread_rows(rows, i), spread_rows(rows, i + strides[0]))


@numba.njit(cache=True, nogil=True)
def add_totals(sums, out):  # type: ignore[no-untyped-def]
    """Add the sums of all lanes of `sums` to `out`, one number a register."""
    lanes = lanes_at(sums)
    for number in range(out.size):
        out[number] += total(load(sums, number * lanes))
