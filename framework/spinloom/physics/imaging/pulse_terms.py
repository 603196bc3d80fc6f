"""The few terms of a pulse's Chebyshev table that matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging.chebyshev import Table

_LIT = (np.arange(12) % 4) >= 2
"""Entries that go with Mz and M0: all that counts where there is no M+."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Terms of a table: the degree in each number `(terms, 4)`, and what each entry has of it `(terms, 12)`."""

    degrees: np.ndarray
    coefficients: np.ndarray

    @staticmethod
    def none() -> Terms:
        """No terms."""
        return Terms(np.zeros((0, 4), dtype=np.int64), np.zeros((0, 12)))


def terms_of(table: Table, tolerance: float, full: bool) -> Terms:
    """The terms of `table` without the least, which add up to `tolerance`; full: whether all entries count."""
    values = table.coefficients.cpu().numpy()
    size = np.abs(values[..., slice(None) if full else _LIT]).max(axis=-1)
    order = np.argsort(size, axis=None)
    kept = np.sort(order[np.cumsum(size.reshape(-1)[order]) > tolerance])
    degrees = np.stack(np.unravel_index(kept, size.shape), axis=1)
    return Terms(degrees, values.reshape(-1, values.shape[-1])[kept])
