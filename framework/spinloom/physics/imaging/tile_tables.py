"""Fill the memory of a tile: its maps, and the tables that a sequence needs of them."""

from __future__ import annotations

import numba

from spinloom.physics.imaging.pulse_tables import fill_map, join_spans
from spinloom.physics.imaging.registers import lanes_at, load, spread, store, total
from spinloom.physics.imaging.span_tables import fill_decays, fill_factor, fill_weights
from spinloom.physics.imaging.tile import B0, B1, M0, R1, R2, START


@numba.njit(cache=True, nogil=True)
def fill_tile(memory, maps, layout, rows, row, column):  # type: ignore[no-untyped-def]
    """Copy the maps of a tile whose first isochromat is at `row` and `column`; false where it is empty."""
    size = layout.size
    _copy(memory, M0 * size, maps.m0, rows, row, column)
    sum_of_all = spread(0.0, load(memory, M0 * size))
    for i in range(0, rows * lanes_at(memory), lanes_at(memory)):
        sum_of_all = sum_of_all + load(memory, M0 * size + i)
    if total(sum_of_all) == 0:
        return False
    _copy(memory, START * size, maps.start, rows, row, column)
    _copy(memory, R1 * size, maps.r1, rows, row, column)
    _copy(memory, R2 * size, maps.r2, rows, row, column)
    _copy(memory, B0 * size, maps.b0, rows, row, column)
    _copy(memory, B1 * size, maps.b1, rows, row, column)
    for number in range(2 * layout.coil_count):
        _copy(memory, layout.coils + number * size, maps.coils[number], rows, row, column)
    return True


@numba.njit(cache=True, nogil=True)
def _copy(memory, at, values, rows, row, column):  # type: ignore[no-untyped-def]
    lanes = lanes_at(memory)
    for i in range(rows):
        store(memory, at + i * lanes, load(values, (row + i, column)))


@numba.njit(cache=True, nogil=True)
def fill_tables(memory, layout, rows, spans, phases, pulses, weights, row, column):  # type: ignore[no-untyped-def]
    """Fill the tables of a tile; `row` counts from the begin of the chunk."""
    size = layout.size
    fill_weights(memory, layout.weights, layout.work, size, rows, weights)
    for number in range(spans.factors.shape[0]):
        at, phase = layout.factors + 2 * number * size, int(spans.factors[number, 2])
        fill_factor(
            memory, at, size, rows, spans.factors[number, 0], spans.factors[number, 1], phase, phases, row, column
        )
    for number in range(spans.recoveries.size):
        fill_decays(memory, layout.decays + number * size, size, rows, spans.recoveries[number])
    for pulse in range(pulses.full.size):
        fill_map(memory, layout.pulses + 12 * pulse * size, layout.work, size, rows, pulse, pulses, row, column)
    for number in range(pulses.maps.shape[0]):
        pulse, recovery = pulses.maps[number, 0], pulses.maps[number, 1]
        before, after = pulses.maps[number, 2], pulses.maps[number, 3]
        if recovery >= 0 or before >= 0 or after >= 0:
            decays = layout.decays + recovery * size if recovery >= 0 else -1
            before = layout.factors + 2 * before * size if before >= 0 else -1
            after = layout.factors + 2 * after * size if after >= 0 else -1
            at = layout.maps + 12 * number * size
            join_spans(memory, at, layout.pulses + 12 * pulse * size, size, rows, decays, before, after)
