"""Maps of pulses for the isochromats of a tile: polynomials of their numbers, joined with the spans around a pulse.

Entry 4 i + j of a map is what component i after the pulse has of component j before it, the last j being M0.
"""

from __future__ import annotations

import numba

from spinloom.physics.imaging.registers import lanes_at, load, spread, store
from spinloom.physics.imaging.tile import B0, B1, M0, R1, R2


@numba.njit(cache=True, nogil=True)
def fill_polynomials(memory, at, u, count):  # type: ignore[no-untyped-def]
    """T_0 .. T_{count - 1} of a register `u`, one register each, from `at` on."""
    lanes = lanes_at(memory)
    before, here = spread(1.0, u), u
    store(memory, at, before)
    for n in range(1, count):
        store(memory, at + n * lanes, here)
        before, here = here, 2.0 * (u * here) - before


@numba.njit(cache=True, nogil=True)
def fill_map(memory, at, work, size, rows, pulse, pulses, first_row, first_column):  # type: ignore[no-untyped-def]
    """Entries of the map of `pulse` for each row, its constant times M0, from `at` on; `work`: room for polynomials.

    Where the pulse meets no M+, only the entries that go with Mz and M0.
    """
    lanes = lanes_at(memory)
    if pulses.which[pulse] >= 0:
        _copy_map(memory, at, size, rows, pulses.solved, pulses.which[pulse], first_row, first_column)
        return
    scales, counts = pulses.scales, pulses.counts
    across = load(pulses.column_shifts, (pulse, first_column)) - scales[pulse, 0, 0]
    for row in range(rows):
        i = row * lanes
        to = work
        for number in range(4):
            values = load(memory, (B0, B1, R1, R2)[number] * size + i)
            if number == 0:
                values = values + across + pulses.row_shifts[pulse, first_row + row]
            else:
                values = values - scales[pulse, number, 0]
            fill_polynomials(memory, to, values * scales[pulse, number, 1], counts[pulse, number])
            to += counts[pulse, number] * lanes
        for pair in range(pulses.first_pair[pulse], pulses.first_pair[pulse + 1]):
            one, other = work + pulses.pairs[pair, 0] * lanes, work + pulses.pairs[pair, 1] * lanes
            store(memory, to, load(memory, one) * load(memory, other))
            to += lanes
        if pulses.full[pulse]:
            _sum_terms(memory, at + i, size, work, pulse, pulses)
        else:
            _sum_half_the_terms(memory, at + i, size, work, pulse, pulses)
        m0 = load(memory, M0 * size + i)
        for entry in range(3, 12, 4):
            store(memory, at + entry * size + i, load(memory, at + entry * size + i) * m0)


@numba.njit(cache=True, nogil=True, forceinline=True)
def _product(memory, work, places, term):  # type: ignore[no-untyped-def]
    lanes = lanes_at(memory)
    return load(memory, work + places[term, 0] * lanes) * load(memory, work + places[term, 1] * lanes)


@numba.njit(cache=True, nogil=True)
def _sum_terms(memory, at, size, work, pulse, pulses):  # type: ignore[no-untyped-def]
    nothing = spread(0.0, load(memory, work))
    xx = xy = xz = xm = yx = yy = yz = ym = zx = zy = zz = zm = nothing
    coefficients = pulses.coefficients
    for term in range(pulses.first[pulse], pulses.first[pulse + 1]):
        weight = _product(memory, work, pulses.places, term)
        xx = xx + weight * coefficients[term, 0]
        xy = xy + weight * coefficients[term, 1]
        xz = xz + weight * coefficients[term, 2]
        xm = xm + weight * coefficients[term, 3]
        yx = yx + weight * coefficients[term, 4]
        yy = yy + weight * coefficients[term, 5]
        yz = yz + weight * coefficients[term, 6]
        ym = ym + weight * coefficients[term, 7]
        zx = zx + weight * coefficients[term, 8]
        zy = zy + weight * coefficients[term, 9]
        zz = zz + weight * coefficients[term, 10]
        zm = zm + weight * coefficients[term, 11]
    _store_row(memory, at, size, xx, xy, xz, xm)
    _store_row(memory, at + 4 * size, size, yx, yy, yz, ym)
    _store_row(memory, at + 8 * size, size, zx, zy, zz, zm)


@numba.njit(cache=True, nogil=True, forceinline=True)
def _store_row(memory, at, size, u, v, w, rest):  # type: ignore[no-untyped-def]
    store(memory, at, u)
    store(memory, at + size, v)
    store(memory, at + 2 * size, w)
    store(memory, at + 3 * size, rest)


@numba.njit(cache=True, nogil=True)
def _sum_half_the_terms(memory, at, size, work, pulse, pulses):  # type: ignore[no-untyped-def]
    nothing = spread(0.0, load(memory, work))
    xz = xm = yz = ym = zz = zm = nothing
    coefficients = pulses.coefficients
    for term in range(pulses.first[pulse], pulses.first[pulse + 1]):
        weight = _product(memory, work, pulses.places, term)
        xz = xz + weight * coefficients[term, 2]
        xm = xm + weight * coefficients[term, 3]
        yz = yz + weight * coefficients[term, 6]
        ym = ym + weight * coefficients[term, 7]
        zz = zz + weight * coefficients[term, 10]
        zm = zm + weight * coefficients[term, 11]
    store(memory, at + 2 * size, xz)
    store(memory, at + 3 * size, xm)
    store(memory, at + 6 * size, yz)
    store(memory, at + 7 * size, ym)
    store(memory, at + 10 * size, zz)
    store(memory, at + 11 * size, zm)


@numba.njit(cache=True, nogil=True)
def _copy_map(memory, at, size, rows, solved, which, first_row, first_column):  # type: ignore[no-untyped-def]
    lanes = lanes_at(memory)
    for row in range(rows):
        m0 = load(memory, M0 * size + row * lanes)
        for entry in range(12):
            value = load(solved, (which, entry, first_row + row, first_column))
            store(memory, at + entry * size + row * lanes, value * m0 if entry % 4 == 3 else value)


@numba.njit(cache=True, nogil=True)
def join_spans(memory, at, raw, size, rows, decays, before, after):  # type: ignore[no-untyped-def]
    """The map from `raw` on, with recovery of Mz and a factor of M+ before it and a factor after it, from `at` on.

    decays, before, after: offsets of their tables, -1 for none
    """
    lanes = lanes_at(memory)
    for i in range(0, rows * lanes, lanes):
        m0 = load(memory, M0 * size + i)
        for row in range(0, 12, 4):
            u, v = load(memory, raw + row * size + i), load(memory, raw + (row + 1) * size + i)
            w, rest = load(memory, raw + (row + 2) * size + i), load(memory, raw + (row + 3) * size + i)
            if decays >= 0:
                kept = w * load(memory, decays + i)
                rest, w = rest + (w - kept) * m0, kept
            if before >= 0:
                c, s = load(memory, before + i), load(memory, before + size + i)
                u, v = u * c + v * s, v * c - u * s
            _store_row(memory, at + row * size + i, size, u, v, w, rest)
        if after >= 0:
            c, s = load(memory, after + i), load(memory, after + size + i)
            for column in range(4):
                x, y = load(memory, at + column * size + i), load(memory, at + (4 + column) * size + i)
                store(memory, at + column * size + i, x * c - y * s)
                store(memory, at + (4 + column) * size + i, x * s + y * c)
