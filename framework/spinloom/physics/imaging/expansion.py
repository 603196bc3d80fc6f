"""What off-resonance and relaxation do within a readout, as a sum of few functions of the spin times functions of time.

    e^(L t) = e^(L0 t) sum over j, k of c_jk(t) T_j(u) T_k(v),    L = 2 pi i b0 - r2

with Chebyshev polynomials of u and v, which are b0 and r2 on the scale of their ranges from -1 to 1, and L0 in the
middle of both.  The functions of the spin are real, so that a weighted sum of M+ costs two products, and all readouts
share them.  Terms are dropped from the least on while what is dropped adds up to less than the error asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging.chebyshev import nodes, transform
from spinloom.physics.imaging.ranges import Range


@dataclass(frozen=True, eq=False)
class Expansion:
    """The terms of all readouts.

    b0, r2: ranges of the numbers [Hz], [1/s]
    degrees: j and k of each term, the first of which is (0, 0), shape `(terms, 2)`
    """

    b0: Range
    r2: Range
    degrees: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """Middle and inverse half (0 where it is empty) of the ranges of b0 and of r2, shape `(4,)`."""
        parts = ((found.middle, 1 / found.half if found.half > 0 else 0.0) for found in (self.b0, self.r2))
        return np.array(list(parts)).reshape(-1)

    def coefficients(self, times: np.ndarray) -> np.ndarray:
        """e^(L0 t) c_jk(t) at `times` [s] from the readout's middle, complex, shape `(terms, times)`."""
        by_b0, by_r2 = _parts(self.b0, self.r2, times)
        rate = 2j * np.pi * self.b0.middle - self.r2.middle
        found: np.ndarray = by_b0[self.degrees[:, 0]] * by_r2[self.degrees[:, 1]] * np.exp(rate * times)
        return found

    def needed(self, coefficients: np.ndarray, tolerance: float) -> int:
        """How many of the terms make `coefficients` to an error of `tolerance`."""
        rest = np.cumsum(np.abs(coefficients).max(axis=1)[::-1])[::-1]
        return max(1, int((rest > tolerance).sum()))


def expansion(
    longest: float, b0: Range, r2: Range, tolerance: float, squares: tuple[np.ndarray, np.ndarray] | None = None
) -> Expansion:
    """Terms enough for readouts whose samples are within `longest` [s] of their middle, to an error of `tolerance`.

    squares: `mean_squares` of b0 and of r2, for an error of the signal instead of that of each spin
    """
    by_b0, by_r2 = _parts(b0, r2, np.linspace(-longest, longest, 33))
    size = np.abs(by_b0).max(1)[:, None] * np.abs(by_r2).max(1)
    if squares is not None:
        of_b0, of_r2 = (_for_all(known, count) for known, count in zip(squares, size.shape, strict=True))
        size = size * np.sqrt(of_b0[:, None] * of_r2)
    order = np.argsort(-size, axis=None, kind="stable")
    rest = np.cumsum(size.reshape(-1)[order][::-1])[::-1]
    kept = order[: max(1, int((rest > tolerance).sum()))]
    first = np.unravel_index(kept[kept != 0], size.shape)
    return Expansion(b0, r2, np.concatenate([[[0, 0]], np.stack(first, axis=1)]))


def _for_all(squares: np.ndarray, count: int) -> np.ndarray:
    """The mean squares of `count` polynomials; beyond those that are known, what bounds them all."""
    found = np.full(count, squares[0])
    found[: squares.size] = squares[:count]
    return found


def _parts(b0: Range, r2: Range, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev coefficients of e^(i w t u) and of e^(-p t v), w and p being half of the ranges, `(degrees, times)`."""
    return _series(2j * np.pi * b0.half * times), _series(-r2.half * times)


def _series(exponents: np.ndarray) -> np.ndarray:
    """Coefficients of e^(exponent u) for u in (-1, 1), by interpolation between more nodes than it has digits."""
    count = 16 + 2 * int(np.ceil(np.abs(exponents).max(initial=0.0)))
    found: np.ndarray = transform(count) @ np.exp(nodes(count)[:, None] * exponents)
    return found
