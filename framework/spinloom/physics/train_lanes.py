"""Trains of few pools played on lanes: sixteen tissues side by side, so that small propagators fill the vector units.

Propagators of the sixteen are first laid out with the tissue as fastest axis; every step is then a few operations on
whole registers, two of them for each number.  It pays for propagators that stay in the second-level cache (`fits`);
larger ones fill registers by their rows, one tissue after the other (`trains`).
"""

from __future__ import annotations

from numba import njit

from spinloom.physics.columns import rows
from spinloom.physics.lanes import LANES, load, spread, store
from spinloom.sequence.atoms import FREE, PULSE, SAMPLE, SPOIL

TISSUES = 2 * LANES
"""Tissues side by side."""

CACHE = 2**19
"""Bytes of propagators that a block of tissues may take."""


def fits(tissues: int, distinct: int, size: int) -> bool:
    """Whether trains are played on lanes, for so many distinct propagators."""
    return tissues >= TISSUES // 2 and distinct * size * (size + 1) * TISSUES * 8 <= CACHE


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def play_lanes(kind, index, cosine, sine, pulse, across, along, start, reset, pools, mz, mx, my):  # type: ignore[no-untyped-def]
    """What `trains.play_train` does, of the same arguments."""
    tissues, size = start.shape
    z = 2 * pools
    length, height = size - z, (size + 1) * TISSUES
    state, new, begin = rows(2 * (size + 1)), rows(2 * (size + 1)), rows(2 * (size + 1))
    pulses = rows(2 * pulse.shape[0] * (size + 1) * size)
    crossing, growing = rows(2 * across.shape[0] * z * z), rows(2 * along.shape[0] * (length + 1) * length)
    for block in range(0, tissues, TISSUES):
        filled = min(TISSUES, tissues - block)
        _lay_out(pulse, block, filled, pulses)
        _lay_out(across, block, filled, crossing)
        _lay_out(along, block, filled, growing)
        for lane in range(TISSUES):
            for row in range(size):
                begin[row * TISSUES + lane] = start[block + min(lane, filled - 1), row]
            begin[size * TISSUES + lane] = new[size * TISSUES + lane] = 1.0
        state[:height] = begin[:height]
        for step in range(kind.shape[0]):
            what, which = kind[step], index[step]
            if what == PULSE:
                _turn(state, cosine[step], sine[step], pools)
                _apply(pulses, which * (size + 1) * size * TISSUES, size + 1, size, state, new, 0)
                state, new = new, state
            elif what == FREE:
                _apply(crossing, which * z * z * TISSUES, z, z, state, new, 0)
                _apply(growing, which * (length + 1) * length * TISSUES, length + 1, length, state, new, z)
                state, new = new, state
            elif what == SPOIL:
                state[: z * TISSUES] = 0.0
            elif what == SAMPLE:
                for lane in range(filled):
                    x, y = state[lane], state[pools * TISSUES + lane]
                    mx[block + lane, which] = cosine[step] * x - sine[step] * y
                    my[block + lane, which] = sine[step] * x + cosine[step] * y
                    mz[block + lane, which] = state[z * TISSUES + lane]
            elif reset:
                state[:height] = begin[:height]


@njit(cache=True, nogil=True)
def _lay_out(matrices, block, filled, out):  # type: ignore[no-untyped-def]
    """Propagators of a block of tissues row by row, the tissue last; the last one fills what is left of the lanes."""
    distinct, _, columns, count = matrices.shape
    for number in range(distinct):
        for lane in range(TISSUES):
            tissue = block + min(lane, filled - 1)
            for column in range(columns):
                for row in range(count):
                    place = (number * count + row) * columns + column
                    out[place * TISSUES + lane] = matrices[number, tissue, column, row]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _apply(matrix, begin, columns, count, state, new, first):  # type: ignore[no-untyped-def]
    """`new` from `state`, `count` rows of both from row `first` on, by the propagator that stands from `begin` on.

    Rows are taken in pairs, an odd last one with the one before it.
    """
    for pair in range(0, count, 2):
        one, other = min(pair, max(count - 2, 0)), min(pair + 1, count - 1)
        here, there = begin + one * columns * TISSUES, begin + other * columns * TISSUES
        a, b, c, d = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for column in range(columns):
            place, from_ = column * TISSUES, (first + column) * TISSUES
            left, right = load(state, from_), load(state, from_ + LANES)
            a = a + load(matrix, here + place) * left
            b = b + load(matrix, here + place + LANES) * right
            c = c + load(matrix, there + place) * left
            d = d + load(matrix, there + place + LANES) * right
        store(new, (first + one) * TISSUES, a)
        store(new, (first + one) * TISSUES + LANES, b)
        store(new, (first + other) * TISSUES, c)
        store(new, (first + other) * TISSUES + LANES, d)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _turn(state, cosine, sine, pools):  # type: ignore[no-untyped-def]
    for i in range(0, pools * TISSUES, LANES):
        x, y = load(state, i), load(state, pools * TISSUES + i)
        store(state, i, cosine * x - sine * y)
        store(state, pools * TISSUES + i, sine * x + cosine * y)
