"""Numbers for voxels that hold nothing: the mean of the others, so that no range is wider for them."""

from __future__ import annotations

import numba


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _means(m0, t1, t2, b0, b1):  # type: ignore[no-untyped-def]
    """Means where there is magnetisation, of all where there is none at all."""
    count = first = second = third = fourth = 0.0
    for i in range(m0.size):
        if m0[i] > 0:
            count, first, second = count + 1.0, first + t1[i], second + t2[i]
            third, fourth = third + b0[i], fourth + b1[i]
    if count == 0:
        return t1.mean(), t2.mean(), b0.mean(), b1.mean()
    return first / count, second / count, third / count, fourth / count


@numba.njit(cache=True, nogil=True, error_model="numpy")
def fill_numbers(m0, t1, t2, b0, b1, r1, r2, field, transmit):  # type: ignore[no-untyped-def]
    """1/T1, 1/T2, b0 and B1+ into `r1`, `r2`, `field` and `transmit`; all of one axis."""
    mean_t1, mean_t2, mean_b0, mean_b1 = _means(m0, t1, t2, b0, b1)
    kind = r1.dtype.type
    for i in range(m0.size):
        there = m0[i] > 0
        r1[i] = kind(1) / (t1[i] if there else kind(mean_t1))
        r2[i] = kind(1) / (t2[i] if there else kind(mean_t2))
        field[i] = b0[i] if there else kind(mean_b0)
        transmit[i] = b1[i] if there else kind(mean_b1)
