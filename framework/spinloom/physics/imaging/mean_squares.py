"""How large Chebyshev polynomials of a number of the spins are on average, which tells what leaving a term out costs.

    q_j = sum over spins of m T_j(u)^2 / sum of M0,    T_j^2 = (1 + T_2j) / 2

m is the largest magnetisation that a spin can have.  A signal without the term c T_j(u) T_k(v) errs by no more than
|c| sqrt(q_j q_k) of the mean M0 (Cauchy and Schwarz), which for most spins is far less than |c|.
"""

from __future__ import annotations

import numba
import numpy as np

from spinloom.physics.imaging.ranges import Range
from spinloom.physics.imaging.spins import Spins

EVEN = np.array([[1, 0, 0, 0, 0], [-1, 2, 0, 0, 0], [1, -8, 8, 0, 0], [-1, 18, -48, 32, 0], [1, -32, 160, -256, 128]])
"""T_0, T_2, .. T_8 as polynomials of the square."""


def mean_squares(spins: Spins, values: np.ndarray, covered: Range) -> np.ndarray:
    """q_0 .. q_4 of the numbers `values` of the spins, whose range is `covered`; q_0 for all where nothing is there."""
    m0 = spins.m0.detach().numpy().reshape(-1)
    largest = m0 if spins.start is spins.m0 else np.maximum(m0, np.abs(spins.start.detach().numpy().reshape(-1)))
    sums = _power_sums(values.reshape(-1), largest, covered.middle, 1 / covered.half if covered.half > 0 else 0.0)
    whole = float(m0.sum(dtype=np.float64))
    found: np.ndarray = (sums[0] + EVEN @ sums) / (2 * whole) if whole > 0 else np.ones(len(EVEN))
    return found


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _power_sums(values, weights, middle, inverse):  # type: ignore[no-untyped-def]
    """Sums of the weights times powers 0 to 4 of ((value - middle) inverse)^2."""
    first = second = third = fourth = fifth = 0.0
    for i in range(values.size):
        weight, u = weights[i], (values[i] - middle) * inverse
        square = u * u
        first += weight
        second += weight * square
        third += weight * square * square
        fourth += weight * square * square * square
        fifth += weight * square * square * square * square
    return np.array([first, second, third, fourth, fifth])
