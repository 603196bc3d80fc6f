"""The order in which shots and echoes fill the lines of k-space."""

from __future__ import annotations

from typing import Literal

import numpy as np

LineOrder = Literal["linear", "centric"]


def line_order(order: LineOrder, shots: int, etl: int) -> np.ndarray:
    """Line of each echo of each shot, shape `(shots, etl)`; every line stands there once.

    linear: echo e fills the e-th band of `shots` neighbouring lines, from the first line to the last
    centric: echo e fills the e-th band from the middle outwards, on both sides
    """
    lines = np.arange(shots * etl)
    if order == "centric":
        lines = np.argsort(np.abs(lines - lines.size // 2), kind="stable")
    return np.sort(lines.reshape(etl, shots), axis=1).T
