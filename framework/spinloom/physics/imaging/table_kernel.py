"""Evaluate a Chebyshev table for many isochromats: the fast twin of `chebyshev.Table`, on lanes."""

from __future__ import annotations

import numba
import numpy as np

LANES = 128
"""Isochromats whose polynomials are held together: a few kilobytes a node."""


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _polynomials(u, count, basis):  # type: ignore[no-untyped-def]
    """T_0 .. T_{count - 1} of `u` `(lanes,)` into `basis` `(nodes, lanes)`."""
    basis[0] = 1
    if count > 1:
        basis[1] = u
    for k in range(2, count):
        for i in range(u.size):
            basis[k, i] = 2 * u[i] * basis[k - 1, i] - basis[k - 2, i]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_product(target, weight, factor):  # type: ignore[no-untyped-def]
    for i in range(target.size):
        target[i] += weight[i] * factor


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _product(target, one, other):  # type: ignore[no-untyped-def]
    for i in range(target.size):
        target[i] = one[i] * other[i]


@numba.njit(cache=True, nogil=True)
def evaluate(numbers, low, high, coefficients, rows, scale, scaled, out):  # type: ignore[no-untyped-def]
    """Outputs of the table at `numbers` `(4, isochromats)` into `out` `(len(rows), isochromats)`.

    coefficients: `(n0, n1, n2, n3, outputs)`; rows: which outputs
    scale: `(isochromats,)`, which multiplies the rows that `scaled` marks
    """
    n0, n1, n2, n3 = coefficients.shape[:4]
    number = out.dtype
    basis = np.empty((4, max(n0, n1, n2, n3), LANES), dtype=number)
    pair = np.empty(LANES, dtype=number)
    triple = np.empty(LANES, dtype=number)
    weight = np.empty(LANES, dtype=number)
    u = np.empty(LANES, dtype=number)
    total = np.empty((rows.size, LANES), dtype=number)
    for first in range(0, out.shape[1], LANES):
        size = min(LANES, out.shape[1] - first)
        for axis in range(4):
            width = high[axis] - low[axis]
            for i in range(size):
                u[i] = 0 if width <= 0 else (2 * numbers[axis, first + i] - low[axis] - high[axis]) / width
            u[size:] = 0
            _polynomials(u, coefficients.shape[axis], basis[axis])
        total[:] = 0
        for a in range(n0):
            for b in range(n1):
                _product(pair, basis[0, a], basis[1, b])
                for c in range(n2):
                    _product(triple, pair, basis[2, c])
                    for d in range(n3):
                        _product(weight, triple, basis[3, d])
                        for row in range(rows.size):
                            _add_product(total[row], weight, coefficients[a, b, c, d, rows[row]])
        for row in range(rows.size):
            for i in range(size):
                out[row, first + i] = total[row, i] * (scale[first + i] if scaled[row] else 1)
