"""What a read takes of a block of isochromats: sums over its rows, plain and weighted by functions of the spin."""

from __future__ import annotations

import numba

from spinloom.physics.imaging.elementary import turn
from spinloom.physics.imaging.registers import add_products, lanes_at, load, load_block, store, sum_rows


@numba.njit(cache=True, nogil=True, forceinline=True)
def read(tile, at, layout, x, y, terms, out, to):  # type: ignore[no-untyped-def]
    """Add the sums of M+ = x + iy to `out` from `to` on, a real and an imaginary register for each coil and term.

    tile, at: the tables, and where the block begins in each
    terms: how many weights are taken, the first of which is 1
    """
    lanes, size = lanes_at(tile), layout.size
    for coil in range(max(layout.coil_count, 1)):
        u, v = x, y
        if layout.coil_count > 0:
            sensitivity = layout.coils + 2 * coil * size + at
            u, v = turn(x, y, load_block(tile, sensitivity), load_block(tile, sensitivity + size))
        _add(out, to, u, v)
        for term in range(1, terms):
            _add_weighted(out, to + 2 * lanes * term, u, v, load_block(tile, layout.weights + (term - 1) * size + at))
        to += layout.terms * 2 * lanes


@numba.njit(cache=True, nogil=True)
def read_train(tile, at, layout, factor, other, x, y, terms, count, out, to):  # type: ignore[no-untyped-def]
    """Take `count` reads, before each of which M+ is multiplied by a table; returns M+ after the last.

    factor, other: where the tables of the first, third.. and of the second, fourth.. read begin
    to: the first slot, after which the others follow

    A loop of its own keeps M+ in the processor's registers, which the choice among operations does not.
    """
    lanes, size = lanes_at(tile), layout.size
    slot = max(layout.coil_count, 1) * layout.terms * 2 * lanes
    for _ in range(count):
        x, y = turn(x, y, load_block(tile, factor + at), load_block(tile, factor + size + at))
        factor, other = other, factor
        if layout.coil_count > 0:
            read(tile, at, layout, x, y, terms, out, to)
        else:
            _add(out, to, x, y)
            for term in range(1, terms):
                weights = load_block(tile, layout.weights + (term - 1) * size + at)
                _add_weighted(out, to + 2 * lanes * term, x, y, weights)
        to += slot
    return x, y


@numba.njit(cache=True, nogil=True, forceinline=True)
def _add(out, to, x, y):  # type: ignore[no-untyped-def]
    """Add the sums of the rows of x and y to two registers."""
    store(out, to, load(out, to) + sum_rows(x))
    store(out, to + lanes_at(out), load(out, to + lanes_at(out)) + sum_rows(y))


@numba.njit(cache=True, nogil=True, forceinline=True)
def _add_weighted(out, to, x, y, weights):  # type: ignore[no-untyped-def]
    """Add the sums of the rows of x and y, weighted, to two registers."""
    store(out, to, add_products(load(out, to), x, weights))
    store(out, to + lanes_at(out), add_products(load(out, to + lanes_at(out)), y, weights))


@numba.njit(cache=True, nogil=True)
def turn_slots(out, count, phases, columns, column):  # type: ignore[no-untyped-def]
    """Turn the sums of each slot by the phases of the columns that it lacks; what rows lack they have had.

    count: pairs of registers of a slot
    phases: of each slot, -1 for none; columns: `(phases, 2, columns)`
    """
    lanes = lanes_at(out)
    for slot in range(phases.size):
        if phases[slot] >= 0:
            c, s = load(columns, (phases[slot], 0, column)), load(columns, (phases[slot], 1, column))
            for pair in range(slot * count, (slot + 1) * count):
                at = 2 * pair * lanes
                x, y = turn(load(out, at), load(out, at + lanes), c, s)
                store(out, at, x)
                store(out, at + lanes, y)
