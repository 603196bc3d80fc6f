"""Cells of pulses far off resonance chained on lanes: eight propagators side by side, interpolated cell by cell.

Of a pulse that is symmetric in time the first half alone is chained (`columns.mirror`).  What the source makes in the
mirror image of a cell is carried on by J U^T J, U being the propagator before the cell.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spinloom.physics.columns import mirror, rows, write
from spinloom.physics.exponentials import exponentiate, matrices, row_length
from spinloom.physics.generators import write_generator
from spinloom.physics.lanes import LANES, load, spread, store


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def chain_cells(  # type: ignore[no-untyped-def]
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
    length,
    nodes,
    weights,
    spreads,
    mirrored,
    out,
):
    """Products of the cells' propagators, eight jobs (key, tissue) side by side.

    nodes: amplitudes; weights: of their propagators' even and odd elements in each cell, shape `(cells, 2, nodes)`
    spreads: mean of the squared amplitude beyond the square of its mean in each cell
    """
    pools, bound, size, tissues = r2.shape[0], bound_rate.shape[0], scale.shape[0], scale.shape[1]
    wide, row = row_length(size), size * LANES
    room, signs = matrices(size), np.ones(size)
    signs[pools : 2 * pools] = -1.0
    solved = rows(nodes.shape[0] * room.shape[1] // LANES)[: nodes.shape[0] * room.shape[1]].reshape(-1, room.shape[1])
    cell, saturation = rows(size * (size + 2)), rows(bound)
    columns, old, whole = rows((size + 2) * size), rows(2 * size), rows((size + 1) * size)
    jobs, count = out.shape[0] * tissues, weights.shape[0]
    for block in range(0, jobs, LANES):
        for node in range(nodes.shape[0]):
            for lane in range(LANES):
                key, tissue = divmod(min(block + lane, jobs - 1), tissues)
                g = nodes[node] * nutation[key, tissue]
                write_generator(
                    shift,
                    r2,
                    r1,
                    coupling,
                    source,
                    bound_rate,
                    bound_coupling,
                    bound_source,
                    absorption[key],
                    tissue,
                    carrier[key],
                    g,
                    g * g,
                    length,
                    room[0],
                    lane,
                )
                for s in range(bound):
                    saturation[s * LANES + lane] = length * absorption[key, s, tissue] * nutation[key, tissue] ** 2
            solved[node] = room[exponentiate(room, signs)]
        columns[:] = 0.0
        for column in range(size):
            columns[column * (row + LANES) : column * (row + LANES) + LANES] = 1.0
        for c in range(count):
            _interpolate(solved, weights[c], cell, pools, size)
            if spreads[c] != 0.0:
                for s in range(bound):
                    for lane in range(LANES):
                        factor = math.exp(-spreads[c] * saturation[s * LANES + lane])
                        for at in range((3 * pools + s) * wide + lane, (3 * pools + s + 1) * wide, LANES):
                            cell[at] *= factor
            if mirrored:
                _supply_late(cell, columns, pools, size)
            _multiply(cell, columns, old, size)
            _supply(cell, columns, old, size)
        if mirrored:
            mirror(columns, whole, pools, bound)
        for lane in range(min(LANES, jobs - block)):
            key, tissue = divmod(block + lane, tissues)
            write(whole if mirrored else columns, lane, scale[:, tissue], out[key, tissue])


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _interpolate(solved, weights, cell, pools, size):  # type: ignore[no-untyped-def]
    """The propagator of a cell from those at the nodes."""
    wide = row_length(size)
    for i in range(size):
        for j in range(size + 1):
            at = i * wide + (j * LANES if j < size else wide - LANES)
            parity = 1 if (i < 2 * pools) != (j < 2 * pools) else 0
            total = spread(0.0)
            for node in range(weights.shape[1]):
                total = total + weights[parity, node] * load(solved[node], at)
            store(cell, at, total)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _multiply(cell, columns, old, size):  # type: ignore[no-untyped-def]
    """The cell's propagator after all columns but the source's, two rows and two columns at a time.

    old: room for two columns
    """
    wide, row = row_length(size), size * LANES
    for j in range(0, size, 2):
        j0, j1 = j * row, min(j + 1, size - 1) * row
        for k in range(0, row, LANES):
            store(old, k, load(columns, j0 + k))
            store(old, row + k, load(columns, j1 + k))
        for i in range(0, size, 2):
            i1 = min(i + 1, size - 1)
            s00, s01, s10, s11 = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
            for k in range(0, row, LANES):
                l0, l1 = load(cell, i * wide + k), load(cell, i1 * wide + k)
                r0, r1 = load(old, k), load(old, row + k)
                s00, s01, s10, s11 = s00 + l0 * r0, s01 + l0 * r1, s10 + l1 * r0, s11 + l1 * r1
            store(columns, j0 + i * LANES, s00)
            store(columns, j0 + i1 * LANES, s10)
            store(columns, j1 + i * LANES, s01)
            store(columns, j1 + i1 * LANES, s11)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _supply(cell, columns, old, size):  # type: ignore[no-untyped-def]
    """The cell's propagator after the source's column, and what its source adds."""
    wide, row = row_length(size), size * LANES
    old[:row] = columns[size * row : (size + 1) * row]
    for i in range(size):
        total = load(cell, (i + 1) * wide - LANES)
        for k in range(0, row, LANES):
            total = total + load(cell, i * wide + k) * load(old, k)
        store(columns, size * row + i * LANES, total)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _supply_late(cell, columns, pools, size):  # type: ignore[no-untyped-def]
    """What the source of the cell's mirror image adds: J U^T J of it, U being the propagator before the cell."""
    wide, row = row_length(size), size * LANES
    for j in range(size):
        total = spread(0.0)
        for i in range(size):
            product = load(columns, j * row + i * LANES) * load(cell, (i + 1) * wide - LANES)
            total = total - product if pools <= i < 2 * pools else total + product
        at = (size + 1) * row + j * LANES
        store(columns, at, load(columns, at) + (-1.0 if pools <= j < 2 * pools else 1.0) * total)
