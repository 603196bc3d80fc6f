"""Trains played step by step, one tissue after the other, the rows of a propagator in vector registers.

A propagator is laid out once, its columns padded to whole registers, and is used for as long as the train repeats it.
Propagators of few pools would leave most of a register empty: those are played on lanes of tissues (`train_lanes`).
"""

from __future__ import annotations

from numba import njit

from spinloom.physics.columns import rows
from spinloom.physics.lanes import LANES, load, spread, store
from spinloom.sequence.atoms import FREE, PULSE, SAMPLE, SPOIL


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def play_train(kind, index, cosine, sine, pulse, across, along, start, reset, pools, mz, mx, my):  # type: ignore[no-untyped-def]
    """Play steps on one tissue after the other.

    kind: as `sequence.atoms` numbers them; index: of the propagator or the sample
    cosine, sine: of the turn before each pulse or at each sample
    pulse: propagators by columns, the source's last, shape `(distinct, tissues, size + 1, size)`
    across, along: of delays, as `constant_pulses.Delays` has them
    start: magnetisation at the start and after each reset, transverse components zero, shape `(tissues, size)`
    mz, mx, my: of water at each sample, written here, shape `(tissues, samples)`
    """
    tissues, size = start.shape
    z = 2 * pools
    high, wide, tall = _padded(size), _padded(z), _padded(size - z)
    current, crossing = rows(high * (size + 1) // LANES), rows(across.shape[0] * wide * z // LANES)
    growing = rows(along.shape[0] * tall * (size + 1 - z) // LANES)
    state, new = rows(high // LANES + 2), rows(high // LANES + 2)
    for tissue in range(tissues):
        state[:size] = start[tissue]
        state[size] = new[size] = 1.0
        dark, loaded = True, -1
        for number in range(across.shape[0]):
            _lay_out(across[number, tissue], crossing, number * wide * z, wide)
            _lay_out(along[number, tissue], growing, number * tall * (size + 1 - z), tall)
        for step in range(kind.shape[0]):
            what, which = kind[step], index[step]
            if what == PULSE:
                if not dark:
                    _turn(state, cosine[step], sine[step], pools)
                if which != loaded:
                    _lay_out(pulse[which, tissue], current, 0, high)
                    loaded = which
                _apply(current, 0, size + 1, high, state, new, 0)
                new[size] = 1.0
                state, new = new, state
                dark = False
            elif what == FREE:
                if dark:
                    new[:z] = 0.0
                else:
                    _apply(crossing, which * wide * z, z, wide, state, new, 0)
                _apply(growing, which * tall * (size + 1 - z), size + 1 - z, tall, state, new, z)
                new[size] = 1.0
                state, new = new, state
            elif what == SPOIL:
                state[:z] = 0.0
                dark = True
            elif what == SAMPLE:
                mx[tissue, which] = cosine[step] * state[0] - sine[step] * state[pools]
                my[tissue, which] = sine[step] * state[0] + cosine[step] * state[pools]
                mz[tissue, which] = state[z]
            elif reset:
                state[:size] = start[tissue]
                dark = True


@njit(cache=True)
def _padded(size):  # type: ignore[no-untyped-def]
    """The next multiple of a register's length."""
    return (size + LANES - 1) // LANES * LANES


@njit(cache=True, nogil=True)
def _lay_out(columns, out, begin, high):  # type: ignore[no-untyped-def]
    """Columns one after the other from `begin` on, each padded with zeros to the length `high`."""
    for column in range(columns.shape[0]):
        for row in range(columns.shape[1]):
            out[begin + column * high + row] = columns[column, row]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _apply(columns, begin, count, high, state, new, first):  # type: ignore[no-untyped-def]
    """`new` from `state`, both from `first` on, by the `count` columns of a propagator that stand from `begin` on."""
    for row in range(0, high, LANES):
        here = begin + row
        even, odd = spread(0.0), spread(0.0)
        for c in range(0, count - 1, 2):
            even = even + load(columns, here + c * high) * state[first + c]
            odd = odd + load(columns, here + (c + 1) * high) * state[first + c + 1]
        if count % 2:
            even = even + load(columns, here + (count - 1) * high) * state[first + count - 1]
        store(new, first + row, even + odd)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True, inline="always")
def _turn(state, cosine, sine, pools):  # type: ignore[no-untyped-def]
    for i in range(pools):
        x, y = state[i], state[pools + i]
        state[i] = cosine * x - sine * y
        state[pools + i] = sine * x + cosine * y
