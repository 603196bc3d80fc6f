"""Exponentials of many small matrices at once, on lanes: scaling, a Taylor polynomial, squaring.

The matrices carry their source in an appended column, above a last row of zeros.  Blocks of them are laid out with
the matrix index last, so that the vector units multiply as many matrices side by side.  Scaled to a norm of 1.3
the polynomial of degree 19 leaves 1e-16; it takes seven products (Paterson and Stockmeyer, SIAM J Comput 1973;2:60).
Every squaring doubles the rounding that came before it, so a longer polynomial is worth more than its two products.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numba import njit
from torch import Tensor

LANES = 64
_SCALED = 1.3
_DEGREE = 19


def exponentials(matrices: Tensor) -> Tensor:
    """Exponentials of matrices whose last row is zero, float64 on the CPU, shape `(..., n, n)`."""
    size = matrices.shape[-1]
    flat = matrices.reshape(-1, size, size).numpy()
    out = np.empty_like(flat)
    _exponentials(flat, out)
    return torch.from_numpy(out).reshape(matrices.shape)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _multiply(left, right, out, last):  # type: ignore[no-untyped-def]
    """`out = left right` on lanes; the last rows are (0, ..., 0, `last` of the right one)."""
    rows, columns, lanes = left.shape
    for row in range(rows):
        for column in range(columns):
            for lane in range(lanes):
                out[row, column, lane] = 0.0
        for k in range(rows):
            for column in range(columns):
                for lane in range(lanes):
                    out[row, column, lane] += left[row, k, lane] * right[k, column, lane]
        for lane in range(lanes):
            out[row, rows, lane] += last * left[row, rows, lane]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _combine(out, a, first, b, second, c, third, identity):  # type: ignore[no-untyped-def]
    """`out += first a + second b + third c + identity`, last rows left out."""
    rows, columns, lanes = out.shape
    for row in range(rows):
        for column in range(columns):
            for lane in range(lanes):
                out[row, column, lane] += (
                    first * a[row, column, lane] + second * b[row, column, lane] + third * c[row, column, lane]
                )
        for lane in range(lanes):
            out[row, row, lane] += identity


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _exponentials(matrices, out):  # type: ignore[no-untyped-def]
    count, n = matrices.shape[0], matrices.shape[1]
    rows = n - 1
    x, x2 = np.zeros((rows, n, LANES)), np.zeros((rows, n, LANES))
    x3, x4 = np.zeros((rows, n, LANES)), np.zeros((rows, n, LANES))
    e, scratch = np.zeros((rows, n, LANES)), np.zeros((rows, n, LANES))
    factorial = np.ones(_DEGREE + 1)
    for k in range(1, _DEGREE + 1):
        factorial[k] = factorial[k - 1] * k
    for block in range(0, count, LANES):
        filled = min(LANES, count - block)
        norm = 0.0
        for lane in range(filled):
            for column in range(rows):
                total = 0.0
                for row in range(rows):
                    total += abs(matrices[block + lane, row, column])
                norm = max(norm, total)
        squarings = max(0, math.ceil(math.log2(norm / _SCALED))) if norm > 0 else 0
        scale = 0.5**squarings
        for lane in range(LANES):
            source = block + min(lane, filled - 1)
            for row in range(rows):
                for column in range(n):
                    x[row, column, lane] = scale * matrices[source, row, column]
        _multiply(x, x, x2, 0.0)
        _multiply(x2, x, x3, 0.0)
        _multiply(x2, x2, x4, 0.0)
        e[:] = 0.0
        for k in range(_DEGREE - 3, -1, -4):
            if k < _DEGREE - 3:
                # e is a polynomial of x whose last row holds its constant, 1 / factorial[k + 4], alone
                _multiply(x4, e, scratch, 1 / factorial[k + 4])
                e[:] = scratch
            _combine(e, x, 1 / factorial[k + 1], x2, 1 / factorial[k + 2], x3, 1 / factorial[k + 3], 1 / factorial[k])
        for _ in range(squarings):
            _multiply(e, e, scratch, 1.0)
            e, scratch = scratch, e
        for lane in range(filled):
            for row in range(rows):
                for column in range(n):
                    out[block + lane, row, column] = e[row, column, lane]
            for column in range(n):
                out[block + lane, rows, column] = 0.0
            out[block + lane, rows, rows] = 1.0
