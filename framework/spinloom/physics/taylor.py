"""Compiled Taylor series over a part of a cell, eight propagators side by side.

A lane (`lanes`) is one propagator, of a tissue under a pulse.  Within a cell of length h the nutation is a straight
line in time, w(s) = a + b s for s in [0, 1]; the derivatives D of the solution follow from each other,

    D[j+1] = h (A0 D[j] + a X D[j] + j b X D[j-1] + |w|^2-terms likewise) + h source,   M(1) = sum of D[j] / j!,

which costs one product with the star-shaped A0 a term, a few operations a pool, and is of fourth order in h.

Magnetisation is measured in units of the square root of its pool's fraction, in which exchange is symmetric.  `lift`
is added to the rates, so that the generator's eigenvalues lie around zero rather than to the left of it, and taken off
again by a factor exp(-lift h).

Rows of rates: shift, R2, R1, exchange and source of the pools; rate, exchange, source and saturation of the semisolid
ones; nutation.  `scale_rates` gives all but the last times h, saturation also times the rise of |w|^2, and then a and b
along x and y.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spinloom.physics.lanes import LANES, load, store

STABLE = 1e-3
"""Tolerance of a pool however small it is, lest it grow from cell to cell."""

FEWEST = 4
"""Derivatives that are taken at least: the line of the nutation is of fourth order."""

EASED = 0.05
"""Factor of the lift that spares terms at most: the errors of slow pools point the same way in every cell."""


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def measure(rates, pools, bound, radii, slack):  # type: ignore[no-untyped-def]
    """Largest size of the generator in each pool on any lane [1/s], shape `(pools + bound,)`.

    radii: of precession and loss, which combine with nutation at a right angle, written here
    slack: of exchange and of the difference between R2 and R1, which add to it, written here
    """
    radii[:] = 0.0
    slack[:] = 0.0
    for lane in range(LANES):
        exchange = 0.0
        for i in range(pools + bound):
            if i < pools:
                d, e2 = rates[i * LANES + lane], rates[(pools + i) * LANES + lane]
                e1, c = rates[(2 * pools + i) * LANES + lane], rates[(3 * pools + i) * LANES + lane]
            else:
                at = (4 * pools + i) * LANES + lane
                d, e2, e1, c = 0.0, rates[at], rates[at], rates[at + bound * LANES]
            radii[i] = max(radii[i], math.hypot(d, 0.5 * (e2 + e1)))
            slack[i] = max(slack[i], 0.5 * abs(e2 - e1) + c)
            exchange += c * c
        e2, e1 = rates[pools * LANES + lane], rates[2 * pools * LANES + lane]
        slack[0] = max(slack[0], 0.5 * abs(e2 - e1) + math.sqrt(exchange))


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def read_line(cells, c, backwards, line):  # type: ignore[no-untyped-def]
    """The line of w_x, w_y and |w|^2 over cell `c`, begins and rises in turn; gives the largest |w| and |w|^2 on it."""
    for component in range(3):
        begin, rise = cells[1 + 2 * component, c], cells[2 + 2 * component, c]
        line[2 * component] = begin + rise if backwards else begin
        line[2 * component + 1] = -rise if backwards else rise
    x = max(abs(line[0]), abs(line[0] + line[1]))
    y = max(abs(line[2]), abs(line[2] + line[3]))
    return math.hypot(x, y), max(abs(line[4]), abs(line[4] + line[5]))


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def share(sizes, rise, weights, decay, tolerance, shares):  # type: ignore[no-untyped-def]
    """Number of derivatives that `tolerance` asks for; their factors, `decay` / j!, are written into `shares`.

    sizes: of the generator in each pool, times the time; rise: of the RF over the time, times the time
    weights: of the pools in what is asked for; a pool's error reaches water by its fraction
    """
    pools = sizes.shape[0]
    last, before = np.empty(pools), np.zeros(pools)
    for i in range(pools):
        last[i] = max(decay, EASED) * max(min(weights[i], 1.0), tolerance / STABLE)
    terms, left_out = 0, np.inf
    shares[0] = decay
    while (left_out > tolerance or terms < FEWEST) and terms < shares.shape[0] - 1:
        terms += 1
        left_out = 0.0
        for i in range(pools):
            term = (sizes[i] * last[i] + rise * before[i]) / terms
            last[i], before[i] = term, last[i]
            left_out = max(left_out, term, before[i])
        shares[terms] = shares[terms - 1] / terms
    return terms


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def scale_rates(rates, step, pools, bound, h, line, part, parts):  # type: ignore[no-untyped-def]
    """Rates times the length `h` of one of a cell's equal parts, and what the RF adds to them.

    line: of w_x, w_y and |w|^2 at envelope 1 over the cell, begins and rises in turn
    """
    free, rf = 5 * pools + 3 * bound, (5 * pools + 4 * bound) * LANES
    for at in range(0, free * LANES, LANES):
        store(step, at, h * load(rates, at))
    for s in range(bound):
        at, absorbed = (5 * pools + s) * LANES, h * load(rates, (free + s) * LANES)
        store(step, at, load(step, at) + (line[4] + part * line[5] / parts) * absorbed)
        store(step, (free + s) * LANES, (line[5] / parts) * absorbed)
    for component in range(2):
        begin, rise, g = line[2 * component], line[2 * component + 1] / parts, h * load(rates, rf)
        store(step, rf + 2 * component * LANES, (begin + part * rise) * g)
        store(step, rf + (2 * component + 1) * LANES, rise * g)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def advance(step, columns, at, work, pools, bound, terms, shares, turning, supplied, growth):  # type: ignore[no-untyped-def]
    """The column at `at` over a part of a cell: `shares` of its derivatives, so many `terms` of them.

    step: rates as `scale_rates` gives them; work: room for three columns
    turning: whether there is RF along y
    supplied: whether it is the source's column, whose source grows as the lift does, by `growth` = lift h
    """
    y, z, size = pools * LANES, 2 * pools * LANES, (3 * pools + bound) * LANES
    e2, e1, c, s = y, 2 * y, 3 * y, 4 * y
    brate, bc, bs, bslope = 5 * y, 5 * y + bound * LANES, 5 * y + 2 * bound * LANES, 5 * y + 3 * bound * LANES
    rf = 5 * y + 4 * bound * LANES
    old, now, new = 0, size, 2 * size
    for i in range(0, size, LANES):
        m = load(columns, at + i)
        store(work, now + i, m)
        store(work, old + i, 0.0 * m)
        store(columns, at + i, shares[0] * m)
    a = load(step, rf)
    power = 1.0
    for j in range(terms):
        share = shares[j + 1]
        b = float(j) * load(step, rf + LANES)
        x0, y0, z0 = load(work, now), load(work, now + y), load(work, now + z)
        d, f2, f1 = load(step, 0), load(step, e2), load(step, e1)
        dx, dy = 0.0 - f2 * x0 - d * y0, d * x0 - f2 * y0 + a * z0 + b * load(work, old + z)
        dz = 0.0 - f1 * z0 - a * y0 - b * load(work, old + y)
        for i in range(LANES, y, LANES):
            d, f2, f1, k = load(step, i), load(step, e2 + i), load(step, e1 + i), load(step, c + i)
            xi, yi, zi = load(work, now + i), load(work, now + y + i), load(work, now + z + i)
            vx = k * x0 - f2 * xi - d * yi
            vy = k * y0 - f2 * yi + d * xi + a * zi + b * load(work, old + z + i)
            vz = k * z0 - f1 * zi - a * yi - b * load(work, old + y + i)
            dx, dy, dz = dx + k * xi, dy + k * yi, dz + k * zi
            store(work, new + i, vx)
            store(work, new + y + i, vy)
            store(work, new + z + i, vz)
            store(columns, at + i, load(columns, at + i) + share * vx)
            store(columns, at + y + i, load(columns, at + y + i) + share * vy)
            store(columns, at + z + i, load(columns, at + z + i) + share * vz)
        for i in range(0, bound * LANES, LANES):
            k, zi = load(step, bc + i), load(work, now + z + y + i)
            rise = float(j) * load(step, bslope + i)
            vz = k * z0 - load(step, brate + i) * zi - rise * load(work, old + z + y + i)
            dz = dz + k * zi
            store(work, new + z + y + i, vz)
            store(columns, at + z + y + i, load(columns, at + z + y + i) + share * vz)
        store(work, new, dx)
        store(work, new + y, dy)
        store(work, new + z, dz)
        store(columns, at, load(columns, at) + share * dx)
        store(columns, at + y, load(columns, at + y) + share * dy)
        store(columns, at + z, load(columns, at + z) + share * dz)
        if turning:
            ya, yb = load(step, rf + 2 * LANES), float(j) * load(step, rf + 3 * LANES)
            for i in range(0, y, LANES):
                vx = ya * load(work, now + z + i) + yb * load(work, old + z + i)
                vz = ya * load(work, now + i) + yb * load(work, old + i)
                store(work, new + i, load(work, new + i) - vx)
                store(work, new + z + i, load(work, new + z + i) + vz)
                store(columns, at + i, load(columns, at + i) - share * vx)
                store(columns, at + z + i, load(columns, at + z + i) + share * vz)
        if supplied:
            for i in range(0, y + bound * LANES, LANES):
                gain = power * load(step, (s if i < y else bs - y) + i)
                store(work, new + z + i, load(work, new + z + i) + gain)
                store(columns, at + z + i, load(columns, at + z + i) + share * gain)
            power *= growth
        old, now, new = now, new, old
