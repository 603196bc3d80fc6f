"""Pulses of a few constant segments, and free precession: one matrix exponential a segment.

The generator of `bloch_mcconnell` is written from the rates of a star (`star.Star`) straight into the matrices that
are exponentiated.  Without RF it falls into two blocks, transverse and longitudinal magnetisation, which are
solved apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit

from spinloom.physics.exponentials import exponentials
from spinloom.physics.star import Star


@dataclass(frozen=True, eq=False)
class Delays:
    """Propagators of free precession, by columns.

    across: of transverse magnetisation, shape `(durations, tissues, 2 pools, 2 pools)`
    along: of longitudinal magnetisation, the source's column last, shape `(durations, tissues, z + 1, z)`
    """

    across: np.ndarray
    along: np.ndarray


def solve_constant(
    star: Star,
    absorption: np.ndarray,
    nutation: np.ndarray,
    carrier: np.ndarray,
    segments: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Propagators of one waveform's keys by columns, the source's last, shape `(keys, tissues, size + 1, size)`.

    absorption, nutation, carrier: as for `kernels.integrate_pulses`
    segments: lengths [s], complex means and powers of the waveform's segments
    """
    keys, tissues, size = carrier.size, star.weights.shape[0], star.layout.size
    exponents = np.empty((keys, tissues, size, size))
    total: torch.Tensor | None = None
    for length, mean, power in zip(*segments, strict=True):
        _write_exponents(*star.arrays, absorption, nutation, carrier, length, mean.real, mean.imag, power, exponents)
        segment = exponentials(torch.from_numpy(exponents))
        total = segment if total is None else segment @ total
    assert total is not None
    return by_columns(total.numpy())


def solve_delays(star: Star, durations: np.ndarray) -> Delays:
    """Propagators of free precession for each of the `durations` [s]."""
    tissues, pools, size = star.weights.shape[0], star.layout.pools, star.layout.size
    across = np.empty((durations.size, tissues, 2 * pools + 1, 2 * pools + 1))
    along = np.empty((durations.size, tissues, size - 2 * pools, size - 2 * pools))
    _write_free_exponents(*star.arrays, durations, across, along)
    return Delays(
        by_columns(exponentials(torch.from_numpy(across)).numpy())[..., :-1, :],
        by_columns(exponentials(torch.from_numpy(along)).numpy()),
    )


def by_columns(propagators: np.ndarray) -> np.ndarray:
    """Propagators with an appended 1 as columns without its row, shape `(..., n, n - 1)`."""
    out = np.empty((*propagators.shape[:-1], propagators.shape[-1] - 1))
    n = propagators.shape[-1]
    _transpose(propagators.reshape(-1, n, n), out.reshape(-1, n, n - 1))
    return out


@njit(cache=True, nogil=True)
def _transpose(matrices, out):  # type: ignore[no-untyped-def]
    for number in range(out.shape[0]):
        for column in range(out.shape[1]):
            for row in range(out.shape[2]):
                out[number, column, row] = matrices[number, row, column]


@njit(cache=True, error_model="numpy", nogil=True)
def _write_exponents(  # type: ignore[no-untyped-def]
    shift,
    r2,
    r1,
    k,
    kf,
    source,
    bound_rate,
    bound_k,
    bound_kf,
    bound_source,
    absorption,
    nutation,
    carrier,
    length,
    real,
    imaginary,
    power,
    out,
):
    """The generator under constant RF times its length, shape `(keys, tissues, size + 1, size + 1)`."""
    pools, bound = r2.shape[0], bound_rate.shape[0]
    x, y, z, last = 0, pools, 2 * pools, 3 * pools + bound
    for key in range(out.shape[0]):
        for tissue in range(out.shape[1]):
            m = out[key, tissue]
            m[:] = 0.0
            g = nutation[key, tissue]
            wx, wy, p = length * g * real, length * g * imaginary, length * g * g * power
            for i in range(pools):
                d = length * (shift[i, tissue] - carrier[key])
                m[x + i, x + i] = m[y + i, y + i] = -length * r2[i, tissue]
                m[z + i, z + i] = -length * r1[i, tissue]
                m[x + i, y + i], m[y + i, x + i] = -d, d
                m[y + i, z + i], m[z + i, y + i] = wx, -wx
                m[x + i, z + i], m[z + i, x + i] = -wy, wy
                m[z + i, last] = length * source[i, tissue]
            for i in range(1, pools):
                give, take = length * k[i, tissue], length * kf[i, tissue]
                m[x, x + i] = m[y, y + i] = m[z, z + i] = give
                m[x + i, x] = m[y + i, y] = m[z + i, z] = take
            for s in range(bound):
                row = 3 * pools + s
                m[row, row] = -length * bound_rate[s, tissue] - p * absorption[key, s, tissue]
                m[z, row], m[row, z] = length * bound_k[s, tissue], length * bound_kf[s, tissue]
                m[row, last] = length * bound_source[s, tissue]


@njit(cache=True, error_model="numpy", nogil=True)
def _write_free_exponents(  # type: ignore[no-untyped-def]
    shift,
    r2,
    r1,
    k,
    kf,
    source,
    bound_rate,
    bound_k,
    bound_kf,
    bound_source,
    durations,
    across,
    along,
):
    """The two blocks of the generator without RF times each duration, each with the source's row and column."""
    pools, bound = r2.shape[0], bound_rate.shape[0]
    last = pools + bound
    for number in range(durations.shape[0]):
        t = durations[number]
        for tissue in range(across.shape[1]):
            m, n = across[number, tissue], along[number, tissue]
            m[:] = 0.0
            n[:] = 0.0
            for i in range(pools):
                m[i, i] = m[pools + i, pools + i] = -t * r2[i, tissue]
                m[i, pools + i], m[pools + i, i] = -t * shift[i, tissue], t * shift[i, tissue]
                n[i, i], n[i, last] = -t * r1[i, tissue], t * source[i, tissue]
            for i in range(1, pools):
                give, take = t * k[i, tissue], t * kf[i, tissue]
                m[0, i] = m[pools, pools + i] = n[0, i] = give
                m[i, 0] = m[pools + i, pools] = n[i, 0] = take
            for s in range(bound):
                row = pools + s
                n[row, row], n[row, last] = -t * bound_rate[s, tissue], t * bound_source[s, tissue]
                n[0, row], n[row, 0] = t * bound_k[s, tissue], t * bound_kf[s, tissue]
