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

from spinloom.physics.imaging.registers import lanes_at
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
        self._samples, columns = cycles.shape
        mean = (cycles + cycles[:, ::-1]) / 2
        rest = cycles - mean[:, :1]
        self._odd = bool(
            np.abs(mean - mean[:, :1]).max(initial=0.0) < ODD and np.abs(rest + rest[::-1]).max(initial=0.0) < ODD
        )
        self._columns, self._half = columns, columns // 2
        taken = rest[: (self._samples + 1) // 2] if self._odd else cycles
        angles = 2 * np.pi * (taken - np.rint(taken)).T
        self._cosines, self._sines = (torch.from_numpy(wave(angles).astype(dtype)) for wave in (np.cos, np.sin))
        self._turns = torch.from_numpy(np.exp(2j * np.pi * mean[:, 0])).to(self._cosines.dtype.to_complex())

    def __call__(self, sums: np.ndarray, which: np.ndarray) -> Tensor:
        """Samples of some slots, complex, shape `(which, n / 2, samples)`.

        sums: columns being registers and lanes together, of which some at the end may be left out, and real and
            imaginary parts in turn along n, `(registers, slots, n, lanes)`
        which: slots
        """
        return self._mirrored(sums, which) * self._turns if self._odd else self._whole(sums, which)

    def _whole(self, sums: np.ndarray, which: np.ndarray) -> Tensor:
        """The product with every phase."""
        rows = sums[:, which].transpose(1, 2, 0, 3).reshape(which.size, sums.shape[2], -1)[:, :, : self._columns]
        values = torch.from_numpy(rows)
        cosine, sine = values @ self._cosines, values @ self._sines
        return torch.complex(cosine[:, ::2] - sine[:, 1::2], cosine[:, 1::2] + sine[:, ::2])

    def _mirrored(self, sums: np.ndarray, which: np.ndarray) -> Tensor:
        """The product with phases that are odd in samples and in columns."""
        samples, half, upper = self._samples, self._half, self._cosines.shape[1]
        even = np.empty((which.size, sums.shape[2], self._columns - half), dtype=sums.dtype)
        odd = np.empty((which.size, sums.shape[2], half), dtype=sums.dtype)
        (_fold_registers if self._columns % (2 * sums.shape[3]) == 0 else _fold)(sums, which, even, odd)
        cosine, sine = (
            torch.from_numpy(even) @ self._cosines[: even.shape[2]],
            torch.from_numpy(odd) @ self._sines[:half],
        )
        found = torch.empty(which.size, sums.shape[2] // 2, samples, dtype=cosine.dtype.to_complex())
        found.real[..., :upper] = cosine[:, ::2] - sine[:, 1::2]
        found.imag[..., :upper] = cosine[:, 1::2] + sine[:, ::2]
        cosine, sine = (values[..., : samples // 2].flip(-1) for values in (cosine, sine))
        found.real[..., upper:] = cosine[:, ::2] + sine[:, 1::2]
        found.imag[..., upper:] = cosine[:, 1::2] - sine[:, ::2]
        return found


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
