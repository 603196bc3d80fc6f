"""The few terms of a pulse's Chebyshev table that matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging.chebyshev import Table

_LIT = (np.arange(12) % 4) >= 2
"""Entries that go with Mz and M0: all that counts where there is no M+."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Terms of a table as products of two, each the product of polynomials of two numbers of the spin.

    counts: polynomials of each number, `(4,)`; they are held one after the other, and behind them the products
    pairs: places of the two polynomials of each product, of detuning and B1+ or of R1 and R2, `(products, 2)`
    places: of the two products of each term, `(terms, 2)`
    coefficients: what each entry of the map has of a term, `(terms, 12)`
    """

    counts: np.ndarray
    pairs: np.ndarray
    places: np.ndarray
    coefficients: np.ndarray

    @staticmethod
    def none() -> Terms:
        """No terms."""
        nothing = np.zeros((0, 2), dtype=np.int64)
        return Terms(np.ones(4, dtype=np.int64), nothing, nothing, np.zeros((0, 12)))

    @property
    def registers(self) -> int:
        """Registers that polynomials and products take."""
        return int(self.counts.sum()) + len(self.pairs)


def terms_of(table: Table, tolerance: float, full: bool) -> Terms:
    """The terms of `table` without the least, which add up to `tolerance`; full: whether all entries count."""
    values = table.coefficients.cpu().numpy()
    size = np.abs(values[..., slice(None) if full else _LIT]).max(axis=-1)
    order = np.argsort(size, axis=None)
    kept = np.sort(order[np.cumsum(size.reshape(-1)[order]) > tolerance])
    degrees = np.stack(np.unravel_index(kept, size.shape), axis=1)
    counts = degrees.max(axis=0, initial=0) + 1
    begins = degrees + np.cumsum([0, *counts[:3]])
    field, first = np.unique(begins[:, :2], axis=0, return_inverse=True)
    relaxation, second = np.unique(begins[:, 2:], axis=0, return_inverse=True)
    places = counts.sum() + np.stack([first.reshape(-1), len(field) + second.reshape(-1)], axis=1)
    return Terms(counts, np.concatenate([field, relaxation]), places, values.reshape(-1, values.shape[-1])[kept])
