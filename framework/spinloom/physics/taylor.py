"""Compiled Taylor series of pulses: eight propagators side by side, all of their columns cell after cell.

A lane (`lanes`) is one propagator, of a tissue under a pulse.  Lanes share the envelope and nothing else.  Within a
cell of length h the nutation is a straight line in time, w(s) = a + b s for s in [0, 1], whose two moments are those
of the samples; the derivatives D of the solution follow from each other,

    D[j+1] = h (A0 D[j] + a X D[j] + j b X D[j-1] + |w|^2-terms likewise) + h source,   M(1) = sum of D[j] / j!,

which costs one product with the star-shaped A0 a term, a few operations a pool, and is of fourth order in h.

Magnetisation is measured in units of the square root of its pool's fraction, in which exchange is symmetric.  `lift`
is added to the rates, so that the generator's eigenvalues lie around zero rather than to the left of it, and taken off
again by a factor exp(-lift h).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spinloom.physics.columns import mirror, rows, write
from spinloom.physics.lanes import LANES, load, store


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def integrate_pulses(  # type: ignore[no-untyped-def]
    shift,
    r2,
    r1,
    coupling,
    source,
    bound_rate,
    bound_coupling,
    bound_source,
    scale,
    absorption,
    nutation,
    carrier,
    key_of,
    tissue_of,
    cells,
    reach,
    largest,
    lift,
    mirrored,
    out,
):
    """Propagators of the jobs (key, tissue) under one sampled envelope, into `out[key, tissue]` by columns.

    shift, r2, r1, coupling, source, bound_*, scale: as `star.Star.balanced` has them, tissues last
    absorption: L of the semisolid pools [s], shape `(keys, bound, tissues)`
    nutation: at envelope 1, shape `(keys, tissues)` [rad/s]; carrier: of each key [rad/s]
    cells: length [s] and, for w_x, w_y and |w|^2, the line's value at the begin and its rise, shape `(7, cells)`
    reach: the largest radius times time that 0, 1, ... terms solve; cells are cut into parts that stay below `largest`
    mirrored: whether the cells are the first half of a pulse that is symmetric in time
    out: shape `(keys, tissues, size + 1, size)`, the source's column last
    """
    pools, bound, count = r2.shape[0], bound_rate.shape[0], cells.shape[1]
    size = 3 * pools + bound
    row = size * LANES
    rates, step = rows(5 * pools + 4 * bound + 1), rows(5 * pools + 4 * bound + 4)
    columns, whole, work = rows((size + 2) * size), rows((size + 1) * size), rows(3 * size)
    radius, swing, saturation = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    inverse = np.ones(reach.shape[0] + 1)
    for j in range(1, inverse.shape[0]):
        inverse[j] = inverse[j - 1] / j
    for block in range(0, key_of.shape[0], LANES):
        filled = min(LANES, key_of.shape[0] - block)
        columns[:] = 0.0
        for lane in range(LANES):
            job = block + min(lane, filled - 1)
            key, tissue = key_of[job], tissue_of[job]
            g = nutation[key, tissue]
            swing[lane], saturation[lane] = abs(g), 0.0
            fastest, uneven, exchange = 0.0, 0.0, 0.0
            for i in range(pools):
                d, c = shift[i, tissue] - carrier[key], coupling[i, tissue]
                e2, e1 = r2[i, tissue] - lift, r1[i, tissue] - lift
                at = i * LANES + lane
                rates[at], rates[pools * LANES + at], rates[2 * pools * LANES + at] = d, e2, e1
                rates[3 * pools * LANES + at], rates[4 * pools * LANES + at] = c, source[i, tissue]
                fastest, uneven = max(fastest, math.hypot(d, 0.5 * (e2 + e1))), max(uneven, 0.5 * abs(e2 - e1))
                exchange += c * c
            for s in range(bound):
                e1, c, absorbed = bound_rate[s, tissue] - lift, bound_coupling[s, tissue], absorption[key, s, tissue]
                at = (5 * pools + s) * LANES + lane
                rates[at], rates[bound * LANES + at], rates[2 * bound * LANES + at] = e1, c, bound_source[s, tissue]
                rates[3 * bound * LANES + at] = absorbed * g * g
                fastest, saturation[lane] = max(fastest, abs(e1)), max(saturation[lane], absorbed * g * g)
                exchange += c * c
            rates[(5 * pools + 4 * bound) * LANES + lane] = g
            radius[lane] = fastest + uneven + math.sqrt(exchange)
            for column in range(size):
                columns[column * (row + LANES) + lane] = 1.0
        for number in range(2 * count if mirrored else count):
            late = number >= count  # the second half, of the source alone, plays the first one backwards
            c = 2 * count - 1 - number if late else number
            begin = cells[1::2, c] + cells[2::2, c] if late else cells[1::2, c]
            rise = -cells[2::2, c] if late else cells[2::2, c]
            line = np.maximum(np.abs(begin), np.abs(begin + rise))
            fastest = np.max(radius + math.hypot(line[0], line[1]) * swing + line[2] * saturation)
            parts = max(1, math.ceil(fastest * cells[0, c] / largest))
            h, terms = cells[0, c] / parts, 4
            while terms < reach.shape[0] - 1 and reach[terms] < fastest * h:
                terms += 1
            shares = math.exp(-lift * h) * inverse[: terms + 1]
            for part in range(parts):
                _scale(rates, step, pools, bound, h, begin + (part / parts) * rise, rise / parts)
                if not late:
                    for column in range(size):
                        _advance(step, columns, column * row, work, pools, bound, shares, False, 0.0)
                _advance(step, columns, (size + late) * row, work, pools, bound, shares, True, lift * h)
        if mirrored:
            mirror(columns, whole, pools, bound)
        for lane in range(filled):
            key, tissue = key_of[block + lane], tissue_of[block + lane]
            write(whole if mirrored else columns, lane, scale[:, tissue], out[key, tissue])


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _scale(rates, step, pools, bound, h, begin, rise):  # type: ignore[no-untyped-def]
    """Rates times the length `h` of a part of a cell, and what the RF adds to them on the line from `begin` on."""
    free, rf = 5 * pools + 3 * bound, (5 * pools + 4 * bound) * LANES
    for at in range(0, free * LANES, LANES):
        store(step, at, h * load(rates, at))
    for s in range(bound):
        at, absorbed = (5 * pools + s) * LANES, h * load(rates, (free + s) * LANES)
        store(step, at, load(step, at) + begin[2] * absorbed)
        store(step, (free + s) * LANES, rise[2] * absorbed)
    for component in range(2):
        g = h * load(rates, rf)
        store(step, rf + 2 * component * LANES, begin[component] * g)
        store(step, rf + (2 * component + 1) * LANES, rise[component] * g)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _advance(step, columns, at, work, pools, bound, shares, supplied, growth):  # type: ignore[no-untyped-def]
    """The column at `at` over a part of a cell: `shares` of its derivatives; `supplied` is that of the source."""
    y, z, size = pools * LANES, 2 * pools * LANES, (3 * pools + bound) * LANES
    e2, e1, c, s = y, 2 * y, 3 * y, 4 * y
    brate, bc, bs, bslope = 5 * y, 5 * y + bound * LANES, 5 * y + 2 * bound * LANES, 5 * y + 3 * bound * LANES
    rf = 5 * y + 4 * bound * LANES
    old, now, new = 0, size, 2 * size
    turning = False
    for lane in range(2 * LANES):
        turning = turning or step[rf + 2 * LANES + lane] != 0.0
    for i in range(0, size, LANES):
        m = load(columns, at + i)
        store(work, now + i, m)
        store(work, old + i, 0.0 * m)
        store(columns, at + i, shares[0] * m)
    a = load(step, rf)
    power = 1.0
    for j in range(shares.shape[0] - 1):
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
