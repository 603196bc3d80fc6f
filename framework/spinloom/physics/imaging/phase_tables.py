"""Phases of gradient moments at many places: cos and sin of 2 pi k r + turn, reduced in double precision."""

from __future__ import annotations

import numba
import numpy as np

from spinloom.physics.imaging.elementary import turned
from spinloom.physics.imaging.registers import lanes_of, load, store


def phase_table(places: np.ndarray, moments: np.ndarray, turns: np.ndarray | float, dtype: np.dtype) -> np.ndarray:
    """cos and sin of `moments` [cycles/m] `(n, 3)` and `turns` [rad] at `places` [m] `(m, 3)`, shape `(n, 2, m)`."""
    lanes, count = lanes_of(np.float64), len(places)
    padded = np.zeros((3, -(-count // lanes) * lanes))
    padded[:, :count] = places.T
    out = np.empty((len(moments), 2, padded.shape[1]))
    _fill(padded, moments, np.broadcast_to(turns / (2 * np.pi), len(moments)), out)
    return np.ascontiguousarray(out[:, :, :count], dtype=dtype)


@numba.njit(cache=True, nogil=True)
def _fill(places, moments, begins, out):  # type: ignore[no-untyped-def]
    for number in range(moments.shape[0]):
        x, y, z, begin = moments[number, 0], moments[number, 1], moments[number, 2], begins[number]
        for i in range(0, places.shape[1], 8):
            cycles = load(places, (0, i)) * x + load(places, (1, i)) * y + load(places, (2, i)) * z + begin
            cosine, sine = turned(cycles, 1.0, 0.0)
            store(out, (number, 0, i), cosine)
            store(out, (number, 1, i), sine)
