"""The loop of the fast imaging engine: a whole sequence played on one block of isochromats after another.

A block of isochromats stays in the registers of the processor for the whole sequence, and what it needs of tables in
the first-level cache.  A read sums over rows; what is left, a row of columns for each read, is transformed afterwards.
"""

from __future__ import annotations

import numba

from spinloom.physics.imaging.elementary import decay, precession, turn
from spinloom.physics.imaging.plan import ADVANCE, EXCITE, FREE, MAP, PHASE, READ, RECOVER, RELAX, RESTORE, SAMPLE
from spinloom.physics.imaging.reads import read, read_train, turn_slots
from spinloom.physics.imaging.registers import (
    ROWS,
    lanes_at,
    load_block,
    pointer,
    rows_of,
    spread,
    spread_rows,
)
from spinloom.physics.imaging.samples import add_totals, take_samples, under_moment
from spinloom.physics.imaging.tile import B0, M0, R1, R2, START
from spinloom.physics.imaging.tile_tables import fill_tables, fill_tile


@numba.njit(cache=True, nogil=True)
def play_tiles(  # type: ignore[no-untyped-def]
    operations, maps, layout, spans, phases, pulses, weights, segments, slot_phases, rows, ranges, out, sampled
):
    """Play the operations on the isochromats of `rows` (begin, end) in ranges of columns and add the reads to `out`.

    operations: as `linking` writes them; slot_phases: number of the moment that each slot is read under, or -1
    ranges: begin and end of each, whole registers, `(ranges, 2)`
    out: zeros, a real and an imaginary register for each slot, coil and term, for one register of columns after another
    sampled: sums of each range at the samples that are taken one by one, `(ranges, coils samples 2)`
    """
    memory = rows_of(layout.registers, maps.m0)
    lanes = lanes_at(memory)
    height = layout.size // lanes - ROWS
    tile, slots = pointer(memory), pointer(out)
    row_phases, column_phases = pointer(phases.rows), pointer(phases.columns)
    strides = phases.rows.shape[2], phases.columns.shape[2]
    samples = rows_of(sampled.shape[1], maps.m0)
    taken = pointer(samples)
    for number in range(ranges.shape[0]):
        samples[:] = 0
        for column in range(ranges[number, 0], ranges[number, 1], lanes):
            to = column // lanes * out.shape[1]
            for row in range(rows[0], rows[1], height):
                count, here = min(height, rows[1] - row), row - rows[0]
                if fill_tile(memory, maps, layout, count, row, column):
                    fill_tables(memory, layout, count, spans, phases, pulses, weights, here, column)
                    for block in range(0, count, ROWS):
                        at, first = block * lanes, here + block
                        _play(
                            operations, tile, at, layout, row_phases, first, column_phases, column, strides, slots, to,
                            segments, taken,
                        )  # fmt: skip
            terms = layout.terms * max(layout.coil_count, 1)
            turn_slots(out[column // lanes], terms, slot_phases, phases.columns, column)
        add_totals(samples, sampled[number])


@numba.njit(cache=True, nogil=True)
def _play(operations, tile, at, layout, rows, row, columns, column, strides, out, to, segments, taken):  # type: ignore[no-untyped-def]
    """Play the operations on the block that begins at `at` in each table of `tile`.

    rows, row, columns, column: pointers to phases of rows and columns, and where the block begins in each
    strides: numbers of a row of phases; out, to: pointer to the slots, and where the first of these columns begins
    segments, taken: of samples that are taken one by one, and pointer to their sums
    """
    size = layout.size
    x = y = spread(0.0, load_block(tile, at))
    z = load_block(tile, START * size + at)
    for number in range(operations.shape[0]):
        kind, a = operations[number].kind, operations[number].a
        if kind == READ:
            b, c, terms = operations[number].b, operations[number].c, operations[number].terms
            if c >= 0:
                x, y = read_train(
                    tile, at, layout, c, operations[number].next, x, y, terms, operations[number].count, out, to + a
                )
            else:
                u, v = x, y
                if b >= 0:
                    i = b * strides[0] + row
                    u, v = turn(x, y, spread_rows(rows, i), spread_rows(rows, i + strides[0]))
                read(tile, at, layout, u, v, terms, out, to + a)
        elif kind == MAP:
            u = _mapped(tile, a + at, size, x, y, z)
            v = _mapped(tile, a + 4 * size + at, size, x, y, z)
            z = _mapped(tile, a + 8 * size + at, size, x, y, z)
            x, y = u, v
        elif kind == ADVANCE:
            x, y = _advanced(tile, a + at, size, x, y)
        elif kind == RELAX:
            z = _relaxed(z, load_block(tile, M0 * size + at), load_block(tile, a + at))
        elif kind == PHASE:
            x, y = under_moment(x, y, rows, a * strides[0] + row, columns, a * strides[1] + column, strides)
        elif kind == FREE:
            b0, r2 = load_block(tile, B0 * size + at), load_block(tile, R2 * size + at)
            u, v = precession(b0, r2, operations[number].time, operations[number].rest)
            x, y = turn(x, y, u, v)
        elif kind == RECOVER:
            kept = decay(load_block(tile, R1 * size + at), operations[number].time + operations[number].rest)
            z = _relaxed(z, load_block(tile, M0 * size + at), kept)
        elif kind == EXCITE:
            x = load_block(tile, a + 2 * size + at) * z + load_block(tile, a + 3 * size + at)
            y = load_block(tile, a + 6 * size + at) * z + load_block(tile, a + 7 * size + at)
            z = load_block(tile, a + 10 * size + at) * z + load_block(tile, a + 11 * size + at)
        elif kind == SAMPLE:
            u, v = x, y
            b = operations[number].b
            if b >= 0:
                u, v = under_moment(x, y, rows, b * strides[0] + row, columns, b * strides[1] + column, strides)
            for coil in range(max(layout.coil_count, 1)):
                p, q = u, v
                if layout.coil_count > 0:
                    p, q = _advanced(tile, layout.coils + 2 * coil * size + at, size, u, v)
                begin, count, to_sample = operations[number].c, operations[number].terms, a + coil * layout.samples
                take_samples(
                    tile, at, size, segments, begin, count, p, q, rows, row, columns, column, strides, taken, to_sample
                )
        elif kind == RESTORE:
            x = y = spread(0.0, x)
            z = load_block(tile, M0 * size + at)


@numba.njit(cache=True, nogil=True, forceinline=True)
def _advanced(tile, factor, size, x, y):  # type: ignore[no-untyped-def]
    """M+ times the table from `factor` on."""
    return turn(x, y, load_block(tile, factor), load_block(tile, factor + size))


@numba.njit(cache=True, nogil=True, forceinline=True)
def _relaxed(z, m0, kept):  # type: ignore[no-untyped-def]
    """Mz of which the part `kept` of what it lacked is still lacking."""
    return m0 + (z - m0) * kept


@numba.njit(cache=True, nogil=True, forceinline=True)
def _mapped(tile, at, size, x, y, z):  # type: ignore[no-untyped-def]
    """A component after the map whose row begins at `at`."""
    moved = load_block(tile, at) * x + load_block(tile, at + size) * y
    return moved + load_block(tile, at + 2 * size) * z + load_block(tile, at + 3 * size)
