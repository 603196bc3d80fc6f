"""Samples of lines from sums over rows: one real matrix product with cosines and one with sines.

    S(n) = sum over x of R(x) e^(2 pi i c(n, x)),    c(n, x) = a(n) + d(n, x)

Columns lie evenly about a middle and the samples of a line about another, so that d is odd in both; then sums and
differences of mirrored columns, R(x) + R(-x) and R(x) - R(-x), need cosines and sines of half of the samples alone.
Where that does not hold the product is taken whole.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numba
import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.elementary import turn
from spinloom.physics.imaging.registers import lanes_at, lanes_of, load, spread, store
from spinloom.sequence.spatial_steps import SpatialReadout

ODD = 1e-9
"""Turns by which phases may miss being odd."""


_TRANSFORMS: WeakKeyDictionary[SpatialReadout, dict[object, LineTransform]] = WeakKeyDictionary()


def line_transform(readout: SpatialReadout, columns: np.ndarray, dtype: np.dtype) -> LineTransform:
    """The transform of a readout for columns at places `(columns, 3)` [m], kept for as long as the readout."""
    known, key = _TRANSFORMS.setdefault(readout, {}), (columns.tobytes(), dtype.str)
    if key not in known:
        known[key] = LineTransform(readout.moments @ columns.T, dtype)
    return known[key]


class LineTransform:
    """Turns sums over rows into samples.

    cycles: turns of each sample at each column, shape `(samples, columns)`
    """

    def __init__(self, cycles: np.ndarray, dtype: np.dtype) -> None:
        self._samples, self._columns = cycles.shape
        mean = (cycles + cycles[:, ::-1]) / 2
        rest = cycles - mean[:, :1]
        self._odd = bool(
            np.abs(mean - mean[:, :1]).max(initial=0.0) < ODD and np.abs(rest + rest[::-1]).max(initial=0.0) < ODD
        )
        taken = rest[: (self._samples + 1) // 2] if self._odd else cycles
        angles = np.zeros((self._columns, -(-len(taken) // lanes_of(dtype)) * lanes_of(dtype)))
        angles[:, : len(taken)] = 2 * np.pi * (taken - np.rint(taken)).T
        self._cosines, self._sines = (torch.from_numpy(wave(angles).astype(dtype)) for wave in (np.cos, np.sin))
        self._turns = np.exp(2j * np.pi * mean[:, 0]) if self._odd else np.ones(self._samples)

    def __call__(self, sums: np.ndarray, which: np.ndarray, factors: np.ndarray) -> Tensor:
        """Samples of some slots, the sum of their terms, complex, shape `(coils, which, samples)`.

        sums: columns being registers and lanes together, of which some at the end may be left out, and real and
            imaginary parts in turn, `(registers, slots, coils, terms, 2, lanes)`
        which: slots
        factors: complex, of each term at each sample, `(terms, samples)`
        """
        (registers, slots, coils, terms), lanes = sums.shape[:4], sums.shape[5]
        even, odd = self._folded(sums.reshape(registers, slots, 2 * coils * terms, lanes), which)
        cosine = torch.from_numpy(even) @ self._cosines[: even.shape[2]]
        sine = torch.from_numpy(odd) @ self._sines[: odd.shape[2]]
        upper = (self._samples + 1) // 2 if self._odd else self._samples
        lower = self._samples - upper
        ordered = np.zeros((2 if self._odd else 1, terms, cosine.shape[2]), dtype=np.complex128)
        ordered[0, :, :upper] = (factors * self._turns)[:, :upper]
        if self._odd:
            ordered[1, :, :lower] = (factors * self._turns)[:, upper:][:, ::-1]
        parts = np.stack([ordered.real, ordered.imag], axis=1).astype(sums.dtype)
        found = np.empty((len(parts), 2, coils, which.size, cosine.shape[2]), dtype=sums.dtype)
        _weigh(cosine.numpy(), sine.numpy(), parts, found)
        out = np.empty((coils, which.size, self._samples), dtype=np.result_type(sums.dtype, np.complex64))
        out.real[..., :upper], out.imag[..., :upper] = found[0, ..., :upper]
        if self._odd:
            out.real[..., upper:], out.imag[..., upper:] = found[1, ..., :lower][..., ::-1]
        return torch.from_numpy(out)

    def _folded(self, rows: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What cosines and what sines are taken of, `(which, n, columns or half of them)`."""
        if not self._odd:
            whole = rows[:, which].transpose(1, 2, 0, 3).reshape(which.size, rows.shape[2], -1)[:, :, : self._columns]
            return whole, whole
        half = self._columns // 2
        even = np.empty((which.size, rows.shape[2], self._columns - half), dtype=rows.dtype)
        odd = np.empty((which.size, rows.shape[2], half), dtype=rows.dtype)
        (_fold_registers if self._columns % (2 * rows.shape[3]) == 0 else _fold)(rows, which, even, odd)
        return even, odd


@numba.njit(cache=True, nogil=True)
def _weigh(cosine, sine, factors, out):  # type: ignore[no-untyped-def]
    """Sums over terms of (cosine + i sine) factor, and of (cosine - i sine) factor where there are two of each.

    cosine, sine: of real and imaginary parts in turn, `(slots, coils terms 2, samples)`
    factors: real and imaginary parts, `(1 or 2, 2, terms, samples)`; out: `(1 or 2, 2, coils, slots, samples)`
    """
    lanes, terms = lanes_at(out), factors.shape[2]
    for coil in range(out.shape[2]):
        for slot in range(out.shape[3]):
            for i in range(0, out.shape[4], lanes):
                for side in range(out.shape[0]):
                    sign = 1 - 2 * side
                    x = y = spread(0.0, load(cosine, (slot, 0, i)))
                    for term in range(terms):
                        row = 2 * (coil * terms + term)
                        u = load(cosine, (slot, row, i)) - load(sine, (slot, row + 1, i)) * sign
                        v = load(cosine, (slot, row + 1, i)) + load(sine, (slot, row, i)) * sign
                        a, b = turn(u, v, load(factors, (side, 0, term, i)), load(factors, (side, 1, term, i)))
                        x, y = x + a, y + b
                    store(out, (side, 0, coil, slot, i), x)
                    store(out, (side, 1, coil, slot, i), y)


@numba.njit(cache=True, nogil=True)
def _fold_registers(sums, which, even, odd):  # type: ignore[no-untyped-def]
    """As `_fold`, where the columns of either half are whole registers."""
    lanes = lanes_at(sums)
    for place in range(which.size):
        for row in range(sums.shape[2]):
            for register in range(sums.shape[0] // 2):
                for lane in range(lanes):
                    one = sums[register, which[place], row, lane]
                    two = sums[sums.shape[0] - 1 - register, which[place], row, lanes - 1 - lane]
                    even[place, row, register * lanes + lane] = one + two
                    odd[place, row, register * lanes + lane] = one - two


@numba.njit(cache=True, nogil=True)
def _fold(sums, which, even, odd):  # type: ignore[no-untyped-def]
    """Sums and differences of columns and those that mirror them; a column in the middle is a sum."""
    lanes, half = sums.shape[3], odd.shape[2]
    last = half + even.shape[2] - 1
    for place in range(which.size):
        for row in range(sums.shape[2]):
            for column in range(half):
                other = last - column
                one = sums[column // lanes, which[place], row, column % lanes]
                two = sums[other // lanes, which[place], row, other % lanes]
                even[place, row, column] = one + two
                odd[place, row, column] = one - two
            if last % 2 == 0:
                even[place, row, half] = sums[half // lanes, which[place], row, half % lanes]
