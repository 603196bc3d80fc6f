"""Measurements of one offset made one: the distinct offsets of a spectrum, and the matrix that averages."""

from __future__ import annotations

import numpy as np

from spinloom.quantify.zspectrum import SAME_OFFSET_PPM


def averages(offset_ppm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct offsets, rising, shape `(distinct,)`, and weights of shape `(distinct, measurements)`.

    offset_ppm: finite, in any order, shape `(measurements,)`; offsets within 1e-3 ppm of a neighbour are one
    """
    order = np.argsort(offset_ppm, kind="stable")
    group = np.empty(offset_ppm.size, dtype=np.int64)
    group[order] = np.cumsum(np.diff(offset_ppm[order], prepend=-np.inf) > SAME_OFFSET_PPM) - 1
    members = np.arange(group.max(initial=-1) + 1)[:, None] == group
    weights = members / members.sum(axis=1, keepdims=True)
    return weights @ offset_ppm, weights
