"""Segments of constant RF, and of none, exponentiated on lanes: eight jobs (key or duration, tissue) side by side."""

from __future__ import annotations

import numpy as np
from numba import njit

from spinloom.physics.exponentials import exponentiate, matrices, row_length
from spinloom.physics.generators import write_across, write_along, write_generator
from spinloom.physics.lanes import LANES


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def solve_segment(  # type: ignore[no-untyped-def]
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
    power,
    carrier,
    length,
    out,
):
    """Propagators of RF along x that is constant for `length` [s], by columns, into `out[key, tissue]`.

    shift .. scale: as `star.Star.balanced` has them; absorption, carrier: as for `pulse_lanes.integrate_pulses`
    nutation [rad/s], and the power that saturates semisolid pools [rad2/s2], shape `(keys, tissues)`
    """
    pools, size, tissues = r2.shape[0], scale.shape[0], scale.shape[1]
    room, signs = matrices(size), np.ones(size)
    signs[pools : 2 * pools] = -1.0
    jobs = out.shape[0] * tissues
    for block in range(0, jobs, LANES):
        for lane in range(LANES):
            key, tissue = divmod(min(block + lane, jobs - 1), tissues)
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
                nutation[key, tissue],
                power[key, tissue],
                length,
                room[0],
                lane,
            )
        solved = room[exponentiate(room, signs)]
        for lane in range(min(LANES, jobs - block)):
            key, tissue = divmod(block + lane, tissues)
            _write(solved, lane, scale[:, tissue], out[key, tissue])


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def solve_across(  # type: ignore[no-untyped-def]
    shift, r2, r1, coupling, source, bound_rate, bound_coupling, bound_source, scale, durations, out
):
    """The transverse block of free precession for each of the `durations` [s], into `out[duration, tissue]`."""
    size, tissues = out.shape[3], out.shape[1]
    room, signs = matrices(size), np.ones(size)
    signs[size // 2 :] = -1.0
    jobs = out.shape[0] * tissues
    for block in range(0, jobs, LANES):
        for lane in range(LANES):
            number, tissue = divmod(min(block + lane, jobs - 1), tissues)
            write_across(shift, r2, coupling, tissue, durations[number], room[0], lane)
        solved = room[exponentiate(room, signs)]
        for lane in range(min(LANES, jobs - block)):
            number, tissue = divmod(block + lane, tissues)
            _write(solved, lane, scale[:size, tissue], out[number, tissue])


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def solve_along(  # type: ignore[no-untyped-def]
    shift, r2, r1, coupling, source, bound_rate, bound_coupling, bound_source, scale, durations, out
):
    """The longitudinal block of the same, the source's column last."""
    size, tissues, pools = out.shape[3], out.shape[1], r1.shape[0]
    room, signs = matrices(size), np.ones(size)
    jobs = out.shape[0] * tissues
    for block in range(0, jobs, LANES):
        for lane in range(LANES):
            number, tissue = divmod(min(block + lane, jobs - 1), tissues)
            write_along(r1, coupling, source, tissue, durations[number], size, 0, room[0], lane)
            write_along(bound_rate, bound_coupling, bound_source, tissue, durations[number], size, pools, room[0], lane)
        solved = room[exponentiate(room, signs)]
        for lane in range(min(LANES, jobs - block)):
            number, tissue = divmod(block + lane, tissues)
            _write(solved, lane, scale[2 * pools :, tissue], out[number, tissue])


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _write(solved, lane, scale, out):  # type: ignore[no-untyped-def]
    """One lane by columns in units of magnetisation, the source's last where `out` has room for it."""
    columns, size = out.shape
    wide = row_length(size)
    for column in range(columns):
        share = 1.0 / scale[column] if column < size else 1.0
        at = column * LANES + lane if column < size else wide - LANES + lane
        for row in range(size):
            out[column, row] = share * scale[row] * solved[row * wide + at]
