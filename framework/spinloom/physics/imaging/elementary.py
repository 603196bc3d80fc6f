"""Elementary functions on vector registers, as polynomials that the vector units take whole.

    e^(-r t) = 2^k 2^f,        k the nearest whole number to -r t / ln 2, |f| <= 1/2
    sin, cos(2 pi b t)         b t less the nearest whole number, half of the angle

by Taylor series to rounding: 2^f of degree 6 in single precision and 11 in double, sine and cosine of 13 and 12, 19 and
18.
Turns may be many: the time comes as the sum of two numbers of the register's precision, and the product is reduced
before it is rounded.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from spinloom.physics.imaging.registers import fused, holds_single, power_of_two, rounded, spread

_LOG2E = math.log2(math.e)
_EXP2 = tuple(math.log(2) ** n / math.factorial(n) for n in range(12))
_SIN = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(10))
_COS = tuple((-1) ** n / math.factorial(2 * n) for n in range(10))


@numba.njit(cache=True, nogil=True, forceinline=True)
def decay(rate, time):  # type: ignore[no-untyped-def]
    """e^(-rate time) of a register of rates; 0 where it is less than the least normal number."""
    power = rate * (-_LOG2E * time)
    whole = rounded(power)
    part = power - whole
    top = 6 if holds_single(part) else 11
    value = spread(_EXP2[top], part)
    for n in range(top - 1, -1, -1):
        value = value * part + _EXP2[n]
    return value * power_of_two(whole)


@numba.njit(cache=True, nogil=True, forceinline=True)
def turned(frequency, time, time_rest):  # type: ignore[no-untyped-def]
    """cos and sin of 2 pi frequency (time + time_rest), of a register of frequencies."""
    first = spread(time, frequency)
    whole = rounded(frequency * first)
    half = (fused(frequency, first, whole * -1.0) + frequency * time_rest) * math.pi
    square = half * half
    top = 6 if holds_single(half) else 9
    sine, cosine = spread(_SIN[top], half), spread(_COS[top], half)
    for n in range(top - 1, -1, -1):
        sine = sine * square + _SIN[n]
        cosine = cosine * square + _COS[n]
    sine = sine * half
    return 1.0 - 2.0 * (sine * sine), 2.0 * (sine * cosine)


@numba.njit(cache=True, nogil=True, forceinline=True)
def precession(b0, r2, time, rest):  # type: ignore[no-untyped-def]
    """Real and imaginary part of e^((2 pi i b0 - r2) (time + rest))."""
    cosine, sine = turned(b0, time, rest)
    length = decay(r2, time + rest)
    return length * cosine, length * sine


@numba.njit(cache=True, nogil=True, forceinline=True)
def turn(x, y, c, s):  # type: ignore[no-untyped-def]
    """Real and imaginary part of (x + iy) (c + is)."""
    return x * c - y * s, x * s + y * c


def halves(time: float, dtype: np.dtype) -> tuple[float, float]:
    """A time as the sum of two numbers, the first of which `dtype` holds exactly."""
    first = float(dtype.type(time))
    return first, time - first
