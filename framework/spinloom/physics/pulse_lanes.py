"""Pulses integrated on lanes: eight propagators side by side, all of their columns cell after cell by Taylor series.

A lane is one propagator, of a tissue under a pulse.  Lanes share the envelope and nothing else, so that eight of them
fill the processor's vector units whether they come from many tissues or from one.  Each cell gets as many terms as its
fastest lane needs, and columns that the pulse has forgotten are left out (`forgetting`).  Of a pulse that is symmetric
in time the first half alone is integrated (`columns.mirror`), and the source's column over both.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spinloom.physics.columns import mirror, rows, write
from spinloom.physics.forgetting import NEVER, forget, leave, recall
from spinloom.physics.lanes import LANES
from spinloom.physics.taylor import advance, measure, read_line, scale_rates, share

MOST_TERMS = 200
"""Terms of a series at most: several times as many as rounding asks for in the largest part of a cell."""

SPARED = 2
"""Cells that must be left for forgetting columns to pay."""


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
    tolerance,
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
    tolerance: of a pulse, of water's magnetisation; the parts of cells share it
    largest: spectral radius times length of the parts into which cells are cut
    lift: rate that centres the eigenvalues, see `taylor` [1/s]
    mirrored: whether the cells are the first half of a pulse that is symmetric in time
    out: shape `(keys, tissues, size + 1, size)`, the source's column last
    """
    pools, bound, count, size = r2.shape[0], bound_rate.shape[0], cells.shape[1], scale.shape[0]
    row = size * LANES
    rates, step = rows(5 * pools + 4 * bound + 1), rows(5 * pools + 4 * bound + 4)
    columns, whole, work = rows((size + 2) * size), rows((size + 1) * size), rows(3 * size)
    portions, basis, triangle = rows(size * size), rows(size * size), rows(size * size)
    radii, slack, sizes = np.empty(pools + bound), np.empty(pools + bound), np.empty(pools + bound)
    line, shares = np.empty(6), np.empty(MOST_TERMS + 1)
    weights, losses = np.empty(pools + bound), np.empty(pools + bound)
    event = np.empty(size, dtype=np.int64)
    duration = np.sum(cells[0]) * (2 if mirrored else 1)
    for block in range(0, key_of.shape[0], LANES):
        filled = min(LANES, key_of.shape[0] - block)
        weights[:], losses[:], event[:] = 0.0, np.inf, NEVER
        columns[:] = 0.0
        swing, saturation, time, events = 0.0, 0.0, 0.0, 0
        for lane in range(LANES):
            job = block + min(lane, filled - 1)
            key, tissue = key_of[job], tissue_of[job]
            g = nutation[key, tissue]
            swing = max(swing, abs(g))
            for i in range(pools):
                at = i * LANES + lane
                rates[at] = shift[i, tissue] - carrier[key]
                rates[pools * LANES + at], rates[2 * pools * LANES + at] = r2[i, tissue] - lift, r1[i, tissue] - lift
                rates[3 * pools * LANES + at], rates[4 * pools * LANES + at] = coupling[i, tissue], source[i, tissue]
                weights[i] = max(weights[i], scale[i, tissue] ** 2)
                losses[i] = min(losses[i], r1[i, tissue], r2[i, tissue])
            for s in range(bound):
                at, absorbed = (5 * pools + s) * LANES + lane, absorption[key, s, tissue] * g * g
                rates[at], rates[bound * LANES + at] = bound_rate[s, tissue] - lift, bound_coupling[s, tissue]
                rates[2 * bound * LANES + at], rates[3 * bound * LANES + at] = bound_source[s, tissue], absorbed
                saturation = max(saturation, absorbed)
                weights[pools + s] = max(weights[pools + s], scale[3 * pools + s, tissue] ** 2)
                losses[pools + s] = min(losses[pools + s], bound_rate[s, tissue])
            rates[(5 * pools + 4 * bound) * LANES + lane] = g
            for column in range(size):
                columns[column * (row + LANES) + lane] = 1.0
        measure(rates, pools, bound, radii, slack)
        for number in range(2 * count if mirrored else count):
            late = number >= count  # the second half, of the source alone, plays the first one backwards
            c = 2 * count - 1 - number if late else number
            nutates, absorbs = read_line(cells, c, late, line)
            for i in range(pools + bound):
                sizes[i] = math.hypot(radii[i], nutates * swing) + slack[i] + absorbs * saturation
            parts = max(1, math.ceil(sizes.max() * cells[0, c] / largest))
            h, turning = cells[0, c] / parts, line[2] != 0.0 or line[3] != 0.0
            sizes *= h
            slope = (math.hypot(line[1], line[3]) * swing + abs(line[5]) * saturation) * h / parts
            terms = share(sizes, slope, weights, math.exp(-lift * h), tolerance * h / duration, shares)
            for part in range(parts):
                scale_rates(rates, step, pools, bound, h, line, part, parts)
                if not late:
                    for column in range(size):
                        if event[column] == NEVER:
                            advance(step, columns, column * row, work, pools, bound, terms, shares, turning, False, 0.0)
                at = (size + late) * row
                advance(step, columns, at, work, pools, bound, terms, shares, turning, True, lift * h)
            time += cells[0, c]
            if number + SPARED <= count and leave(event, events, pools, weights, losses, time, tolerance):
                forget(columns, event, events, portions, basis, triangle)
                events += 1
        recall(columns, event, events - 1, portions)
        if mirrored:
            mirror(columns, whole, pools, bound)
        for lane in range(filled):
            key, tissue = key_of[block + lane], tissue_of[block + lane]
            write(whole if mirrored else columns, lane, scale[:, tissue], out[key, tissue])
