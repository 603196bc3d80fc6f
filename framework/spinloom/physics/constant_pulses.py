"""Pulses of a few constant segments, and free precession: one matrix exponential a segment.

The generator of `bloch_mcconnell` is written from the rates of a star (`star.Star`) straight into the matrices that
are exponentiated.  RF along another axis than x is turned there and back.  Without RF the generator falls into two
blocks, transverse and longitudinal magnetisation, which are solved apart.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np

from spinloom.physics.constant_lanes import solve_across, solve_along, solve_segment
from spinloom.physics.star import Star


@dataclass(frozen=True, eq=False)
class Delays:
    """Propagators of free precession, by columns.

    across: of transverse magnetisation, shape `(durations, tissues, 2 pools, 2 pools)`
    along: of longitudinal magnetisation, the source's column last, shape `(durations, tissues, z + 1, z)`
    """

    across: np.ndarray
    along: np.ndarray


def solve_constant(
    star: Star,
    absorption: np.ndarray,
    nutation: np.ndarray,
    carrier: np.ndarray,
    segments: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Propagators of one waveform's keys by columns, the source's last, shape `(keys, tissues, size + 1, size)`.

    absorption, nutation, carrier: as for `pulse_lanes.integrate_pulses`
    segments: lengths [s], complex means and powers of the waveform's segments
    """
    keys, tissues, size = carrier.size, star.weights.shape[0], star.layout.size - 1
    total: np.ndarray | None = None
    for length, mean, power in zip(*segments, strict=True):
        segment = np.empty((keys, tissues, size + 1, size))
        solve_segment(*star.balanced, absorption, abs(mean) * nutation, power * nutation**2, carrier, length, segment)
        if mean.imag != 0 or mean.real < 0:
            _turn(segment, star.layout.pools, cmath.phase(mean))
        total = segment if total is None else _after(segment, total)
    assert total is not None
    return total


def solve_delays(star: Star, durations: np.ndarray) -> Delays:
    """Propagators of free precession for each of the `durations` [s]."""
    tissues, pools, size = star.weights.shape[0], star.layout.pools, star.layout.size
    across = np.empty((durations.size, tissues, 2 * pools, 2 * pools))
    along = np.empty((durations.size, tissues, size - 2 * pools, size - 2 * pools - 1))
    solve_across(*star.balanced, durations, across)
    solve_along(*star.balanced, durations, along)
    return Delays(across, along)


def _after(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The propagator of two segments, by columns."""
    both = first @ second[..., :-1, :]
    both[..., -1, :] += second[..., -1, :]
    return np.asarray(both)


def _turn(columns: np.ndarray, pools: int, angle: float) -> None:
    """Propagators of RF along x made those of RF at `angle` [rad]."""
    cosine, sine, y = math.cos(angle), math.sin(angle), slice(pools, 2 * pools)
    for part in (columns, np.swapaxes(columns[..., :-1, :], -1, -2)):
        mx, my = part[..., :pools].copy(), part[..., y].copy()
        part[..., :pools], part[..., y] = cosine * mx - sine * my, sine * mx + cosine * my
