"""The family `t1rho`: spin locks of rising length, each between a tip and a tip back, one marker each.

A pulse of 90 degrees about x takes magnetisation to y; RF along y holds it for TSL, where it decays with T1rho; 90
degrees about -x takes what is left back to z, which the marker reads.  A rotary lock turns its phase by 180 degrees
half way, so that nutation by an uneven B1 is undone (Solomon 1959).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pypulseq as pp

from spinloom import Meaning

RASTER, TIP = 1e-5, 0.1e-3
"""Raster of blocks, and length of the pulses that tip [s]."""


def t1rho(
    *,
    points: Annotated[int, Meaning("lengths of the spin lock", 2, 1000)] = 6,
    smallest_ms: Annotated[float, Meaning("shortest lock, on 0.02 ms [ms]", 0.1, 1000)] = 5.0,
    largest_ms: Annotated[float, Meaning("longest lock, on 0.02 ms [ms]", 0.1, 2000)] = 80.0,
    lock_hz: Annotated[float, Meaning("nutation frequency of the lock [Hz]", 10, 2000, published=(100, 1000))] = 500.0,
    rotary: Annotated[bool, Meaning("turn the phase of the lock half way")] = True,
    recovery_ms: Annotated[float, Meaning("after each marker [ms]", 10, 60_000)] = 3000.0,
) -> pp.Sequence:
    """Spin-lock preparation (T1rho): a marker after each lock."""
    system = pp.Opts(rf_dead_time=100e-6, adc_dead_time=10e-6)
    sequence = pp.Sequence(system)
    marker = pp.make_adc(1, duration=1e-3, delay=system.adc_dead_time, system=system)
    spoiler = pp.make_trapezoid("z", area=2000, system=system)
    for seconds in np.linspace(smallest_ms, largest_ms, points) * 1e-3:
        half = round(seconds / 2 / RASTER) * RASTER
        locks = [(half, 0.5), (half, 1.5)] if rotary else [(2 * half, 0.5)]
        for length, turns, flip in [
            (TIP, 0.0, 0.25),
            *((length, turns / 2, lock_hz * length) for length, turns in locks),
            (TIP, 0.5, 0.25),
        ]:
            sequence.add_block(_pulse(length, turns, flip, system))
        sequence.add_block(spoiler)
        sequence.add_block(marker)
        sequence.add_block(pp.make_delay(round(recovery_ms * 1e-3 / RASTER) * RASTER))
    return sequence


def _pulse(length: float, turns: float, flip: float, system: pp.Opts) -> object:
    """A block pulse; phase and flip angle in turns."""
    angle, phase, delay = 2 * np.pi * flip, 2 * np.pi * turns, system.rf_dead_time
    return pp.make_block_pulse(
        angle, duration=length, phase_offset=phase, delay=delay, system=system, use="preparation"
    )
