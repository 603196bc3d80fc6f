"""The affine map of a pulse for many spins at once: the compiled twin of `pulse_maps.solve`, in double precision.

    M(after) = exp(Omega_n) .. exp(Omega_1) (M, 1),   Omega = h A + h^2 [A', A]

with A of `pulse_maps`, averaged over a cell of length h, and A' its slope (Magnus expansion to fourth order).  Each
exponential acts on the four columns of what came before as a Taylor series; eight spins lie side by side in a register.
It has no gradients.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from spinloom.physics.imaging.pulse_cells import PulseCells
from spinloom.physics.imaging.registers import lanes_of, load, rows_of, spread, store

LARGEST = 4.0
"""Cells are cut into parts whose exponent is not larger than this: the series' terms stay below e^4."""

ROUNDING = 1e-14
"""Series are not asked for less than this."""

_LANES = lanes_of(np.float64)


def affine_maps(
    cells: PulseCells, numbers: np.ndarray, places: np.ndarray | None = None, tolerance: float = ROUNDING
) -> np.ndarray:
    """Entries of the map for spins with `numbers` (detuning [Hz], B1+, R1, R2), `(4, spins)`; shape `(12, spins)`.

    places: `(3, spins)` [m] where the detuning does not hold the gradient yet
    tolerance: largest error of the series, all cells together
    """
    count = numbers.shape[1]
    if count == 0:
        return np.zeros((12, 0))
    spins = np.empty((7, -(-count // _LANES) * _LANES))
    spins[:4, :count], spins[4:, :count] = numbers, 0.0 if places is None else places
    spins[:, count:] = spins[:, count - 1 : count]
    degree, parts = _series(cells, spins, max(tolerance, ROUNDING))
    out = np.empty((12, spins.shape[1]))
    rf = 2 * np.pi * np.stack([cells.mean.real, cells.mean.imag, cells.slope.real, cells.slope.imag])
    gradients = 2 * np.pi * np.concatenate([cells.gradient.T, cells.gradient_slope.T]) * (places is not None)
    _play_cells(cells.length, rf, gradients, degree, parts, spins, out)
    return out[:, :count]


def _series(cells: PulseCells, spins: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Terms of each cell's series, and the parts into which it is cut, so that all errors add up to `tolerance`."""
    reach = np.abs(spins).max(axis=1)
    turns = reach[0] + np.abs(cells.gradient) @ reach[4:] + reach[1] * np.abs(cells.mean)
    swing = np.abs(cells.gradient_slope) @ reach[4:] + reach[1] * np.abs(cells.slope)
    size = cells.length * (2 * np.pi * turns + max(reach[2], reach[3]))
    size = size * (1 + 4 * np.pi * cells.length * swing)
    parts = np.maximum(1, np.ceil(size / LARGEST)).astype(np.int64)
    part, degree = size / parts, np.ones(size.size, dtype=np.int64)
    rest = part**2 / 2
    allowed = tolerance / parts.sum()
    while (rest > allowed).any():
        degree += rest > allowed
        rest = np.where(rest > allowed, rest * part / (degree + 1), rest)
    return degree, parts


@numba.njit(cache=True, nogil=True)
def _play_cells(length, rf, gradients, degree, parts, spins, out):  # type: ignore[no-untyped-def]
    """Play all cells on each register of spins.

    rf: mean and slope of the nutation along x and y [rad/s], `(4, cells)`
    gradients: mean and slope along x, y, z [rad/s/m], `(6, cells)`
    spins: detuning [Hz], B1+, R1, R2 and place, `(7, spins)`
    """
    columns = rows_of(12, spins)
    for first in range(0, spins.shape[1], _LANES):
        detuning, b1 = load(spins, (0, first)) * (2 * math.pi), load(spins, (1, first))
        r1, r2 = load(spins, (2, first)), load(spins, (3, first))
        x, y, z = load(spins, (4, first)), load(spins, (5, first)), load(spins, (6, first))
        for entry in range(12):
            store(columns, entry * _LANES, spread(1.0 if entry % 4 == 0 else 0.0, b1))
        for cell in range(length.size):
            h = length[cell] / parts[cell]
            turn = detuning + x * gradients[0, cell] + y * gradients[1, cell] + z * gradients[2, cell]
            d, a, b = turn * h, b1 * (rf[0, cell] * h), b1 * (rf[1, cell] * h)
            e2, e1 = r2 * h, r1 * h
            # the slope's part of a cell that is cut in n goes as h^2 n, so that n parts of it are the whole
            h = length[cell]
            turn = x * gradients[3, cell] + y * gradients[4, cell] + z * gradients[5, cell]
            s, p, q = turn * h, b1 * (rf[2, cell] * h), b1 * (rf[3, cell] * h)
            lag = e1 - e2
            skew = q * a - p * b
            xz, yz = p * d - s * a, q * d - s * b
            xy, yx = skew - d, d - skew
            zx, zy = b - xz + q * lag, yz * -1.0 - a - p * lag
            xz, yz = xz - b + q * lag, yz + a - p * lag
            x_source, y_source = q * e1 * -1.0, p * e1
            terms = degree[cell]
            for _ in range(parts[cell]):
                for column in range(4):
                    at = 3 * column * _LANES
                    u, v, w = load(columns, at), load(columns, at + _LANES), load(columns, at + 2 * _LANES)
                    tx = xy * v + xz * w - e2 * u
                    ty = yx * u + yz * w - e2 * v
                    tz = zx * u + zy * v - e1 * w
                    if column == 3:
                        tx, ty, tz = tx + x_source, ty + y_source, tz + e1
                    u, v, w = u + tx, v + ty, w + tz
                    for term in range(2, terms + 1):
                        share = 1.0 / term
                        nx = (xy * ty + xz * tz - e2 * tx) * share
                        ny = (yx * tx + yz * tz - e2 * ty) * share
                        tz = (zx * tx + zy * ty - e1 * tz) * share
                        tx, ty = nx, ny
                        u, v, w = u + tx, v + ty, w + tz
                    store(columns, at, u)
                    store(columns, at + _LANES, v)
                    store(columns, at + 2 * _LANES, w)
        for row in range(3):
            for column in range(4):
                store(out, (4 * row + column, first), load(columns, (3 * column + row) * _LANES))
