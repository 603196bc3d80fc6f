"""Elementary functions of many isochromats at once, as polynomials that the vector units take whole.

The libraries' own sine, cosine and exponential work on one number after the other inside compiled loops.  Here
    e^(-r t) = 2^k 2^f,        k the nearest whole number to -r t / ln 2, |f| <= 1/2, degree 11, error 6e-15
    sin, cos(2 pi b t)         b t less the nearest whole number, half of the angle, degree 17, error 1e-13
Turns are reduced in float64, because they may be many.
"""

from __future__ import annotations

import math

import numba
import numpy as np

_LOG2E = math.log2(math.e)
_EXP2 = tuple(math.log(2) ** n / math.factorial(n) for n in range(12))
_SIN = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(9))
_COS = tuple((-1) ** n / math.factorial(2 * n) for n in range(9))


@numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def fill_free_factor(real, imaginary, b0, r2, time):  # type: ignore[no-untyped-def]
    """e^((2 pi i b0 - r2) time) of each isochromat into `real` and `imaginary`, all of shape `(isochromats,)`."""
    one = real.dtype.type(1)
    for i in range(b0.size):
        turns = np.float64(b0[i]) * time
        half = real.dtype.type(math.pi * (turns - np.rint(turns)))
        square = half * half
        sine = real.dtype.type(_SIN[8])
        cosine = real.dtype.type(_COS[8])
        for n in range(7, -1, -1):
            sine = sine * square + real.dtype.type(_SIN[n])
            cosine = cosine * square + real.dtype.type(_COS[n])
        sine *= half
        decay = real.dtype.type(_decay(-np.float64(r2[i]) * time))
        real[i] = decay * (one - 2 * sine * sine)
        imaginary[i] = decay * 2 * sine * cosine


@numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy", inline="always")
def _decay(exponent):  # type: ignore[no-untyped-def]
    """e^exponent, 0 below 1e-300."""
    power = max(exponent * _LOG2E, -1000.0)
    whole = np.rint(power)
    part = power - whole
    value = _EXP2[11]
    for n in range(10, -1, -1):
        value = value * part + _EXP2[n]
    scale = np.int64((np.int64(whole) + 1023) << 52).view(np.float64)
    return value * scale


@numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def fill_decay(values, r1, time):  # type: ignore[no-untyped-def]
    """e^(-r1 time) of each isochromat into `values`, both of shape `(isochromats,)`."""
    for i in range(r1.size):
        values[i] = _decay(-np.float64(r1[i]) * time)
