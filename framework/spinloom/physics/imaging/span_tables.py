"""Tables of a tile of isochromats: what passes between events, and how they weigh in a read."""

from __future__ import annotations

import numba

from spinloom.physics.imaging.elementary import decay, precession, turn
from spinloom.physics.imaging.pulse_tables import fill_polynomials
from spinloom.physics.imaging.registers import lanes_at, load, store
from spinloom.physics.imaging.tile import B0, R1, R2


@numba.njit(cache=True, nogil=True)
def fill_factor(memory, at, size, rows, time, rest, phase, phases, first_row, first_column):  # type: ignore[no-untyped-def]
    """What M+ is multiplied by in a span: precession, decay and the phase of the moment number `phase`, -1 for none."""
    lanes = lanes_at(memory)
    for row in range(rows):
        i = row * lanes
        x, y = precession(load(memory, B0 * size + i), load(memory, R2 * size + i), time, rest)
        if phase >= 0:
            c, s = load(phases.columns, (phase, 0, first_column)), load(phases.columns, (phase, 1, first_column))
            x, y = turn(x, y, c, s)
            x, y = turn(x, y, phases.rows[phase, 0, first_row + row], phases.rows[phase, 1, first_row + row])
        store(memory, at + i, x)
        store(memory, at + size + i, y)


@numba.njit(cache=True, nogil=True)
def fill_decays(memory, at, size, rows, time):  # type: ignore[no-untyped-def]
    """e^(-r1 time)."""
    lanes = lanes_at(memory)
    for i in range(0, rows * lanes, lanes):
        store(memory, at + i, decay(load(memory, R1 * size + i), time))


@numba.njit(cache=True, nogil=True)
def fill_weights(memory, at, work, size, rows, weights):  # type: ignore[no-untyped-def]
    """T_j(b0) T_k(r2), on the scale of their ranges, for all degrees but the first; `work`: room for polynomials."""
    lanes = lanes_at(memory)
    degrees, scale = weights.degrees, weights.scale
    count = 1 + degrees[:, 0].max()
    second = work + count * lanes
    for i in range(0, rows * lanes, lanes):
        fill_polynomials(memory, work, (load(memory, B0 * size + i) - scale[0]) * scale[1], count)
        fill_polynomials(memory, second, (load(memory, R2 * size + i) - scale[2]) * scale[3], 1 + degrees[:, 1].max())
        for term in range(1, degrees.shape[0]):
            product = load(memory, work + degrees[term, 0] * lanes) * load(memory, second + degrees[term, 1] * lanes)
            store(memory, at + (term - 1) * size + i, product)
