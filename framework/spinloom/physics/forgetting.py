"""Columns that a pulse forgets: what a fast pool held at its begin is soon a matter of what the other pools hold.

Magnetisation leaves a pool at its rates of exchange and relaxation.  Once exp(-rate t) of it, times the pool's
fraction, is below the tolerance, the columns of the propagator that started in the pool are combinations of the
others, and stay so: only the others must be integrated further.  The combination is found by least squares in the
components of the other pools.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spinloom.physics.lanes import LANES, load, spread, store

NEVER = 2**31
"""Event at which a column that is kept is forgotten."""

FORGOTTEN = 0.03
"""Part of the tolerance that a pool's columns may be worth when they are forgotten: the errors of a train add up."""

LEAST = 1e-11
"""Tolerances below this leave no room for least squares."""

_DEPENDENT = 1e-28
"""Part of a column's square below which what is left of it beside the others is rounding."""


@njit(cache=True, error_model="numpy", nogil=True)
def leave(event, number, pools, weights, losses, time, tolerance):  # type: ignore[no-untyped-def]
    """Whether any pool's columns can be forgotten after `time`; they are marked with the `number` of the event.

    event: at which each column is forgotten, shape `(size,)`
    weights, losses: fraction of each pool and the rate at which magnetisation leaves it [1/s], semisolid pools last
    """
    found = False
    for i in range(1, weights.shape[0]):
        z = 2 * pools + i
        worth = weights[i] * math.exp(-losses[i] * time)
        if event[z] == NEVER and tolerance > LEAST and worth <= FORGOTTEN * tolerance:
            found = True
            event[z] = number
            if i < pools:
                event[i] = event[pools + i] = number
    return found


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def forget(columns, event, number, shares, work, triangle):  # type: ignore[no-untyped-def]
    """Find the combinations of the columns that are kept that those of event `number` are: least squares by modified
    Gram-Schmidt.

    shares: of each column in each other, written here, `size` times `size` rows of lanes
    work, triangle: room of as many rows
    """
    size = event.shape[0]
    row = size * LANES
    kept, leaving = np.flatnonzero(event > number), np.flatnonzero(event == number)
    count = kept.shape[0]
    both = np.concatenate((kept, leaving))
    for column in both:
        for k in range(count):
            store(work, column * row + k * LANES, load(columns, column * row + kept[k] * LANES))
    for p in range(count):
        pivot = kept[p] * row
        inverse = _inverse_square(work, pivot, count, _square(columns, pivot, kept))
        for q in range(p + 1, both.shape[0]):
            other = both[q] * row
            product = spread(0.0)
            for k in range(0, count * LANES, LANES):
                product = product + load(work, pivot + k) * load(work, other + k)
            share = inverse * product
            store(triangle, pivot + both[q] * LANES, share)
            for k in range(0, count * LANES, LANES):
                store(work, other + k, load(work, other + k) - share * load(work, pivot + k))
    for column in leaving:
        for p in range(count - 1, -1, -1):
            pivot = kept[p] * row
            total = load(triangle, pivot + column * LANES)
            for q in range(p + 1, count):
                share = load(shares, column * row + kept[q] * LANES)
                total = total - load(triangle, pivot + kept[q] * LANES) * share
            store(shares, column * row + kept[p] * LANES, total)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _square(columns, at, kept):  # type: ignore[no-untyped-def]
    """Of a column, in the components that are kept."""
    total = spread(0.0)
    for i in kept:
        total = total + load(columns, at + i * LANES) * load(columns, at + i * LANES)
    return total


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _inverse_square(work, at, count, whole):  # type: ignore[no-untyped-def]
    """Inverse square of what is left of a column whose square was `whole`, zero where that is rounding."""
    squares = np.empty(2 * LANES)
    total = spread(0.0)
    for k in range(0, count * LANES, LANES):
        total = total + load(work, at + k) * load(work, at + k)
    store(squares, 0, total)
    store(squares, LANES, whole)
    for lane in range(LANES):
        left = squares[lane]
        squares[lane] = 1.0 / left if left > _DEPENDENT * squares[LANES + lane] else 0.0
    return load(squares, 0)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def recall(columns, event, last, shares):  # type: ignore[no-untyped-def]
    """Write the columns that were forgotten at events up to `last`, the latest first."""
    size = event.shape[0]
    row = size * LANES
    for number in range(last, -1, -1):
        for wanted in range(size):
            if event[wanted] == number:
                for i in range(0, row, LANES):
                    total = spread(0.0)
                    for other in range(size):
                        if event[other] > number:
                            share = load(shares, wanted * row + other * LANES)
                            total = total + share * load(columns, other * row + i)
                    store(columns, wanted * row + i, total)
