"""The family `frozen`: inversion recovery of a tissue, one marker for each inversion time.

A pulse of 180 degrees inverts, the magnetisation recovers for TI, is read by a marker (Mz is what counts), and recovers
for the rest of TR.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pypulseq as pp

from spinloom import Meaning


def frozen(
    *,
    points: Annotated[int, Meaning("inversion times", 2, 1000)] = 8,
    smallest_ti_ms: Annotated[float, Meaning("shortest inversion time [ms]", 5, 10_000)] = 20.0,
    largest_ti_ms: Annotated[float, Meaning("longest inversion time [ms]", 5, 60_000)] = 3000.0,
    recovery_ms: Annotated[float, Meaning("after each marker [ms]", 10, 60_000, published=(2000, 6000))] = 4000.0,
    inversion_deg: Annotated[float, Meaning("flip angle of the inversion [deg]", 1, 180)] = 180.0,
) -> pp.Sequence:
    """Inversion recovery: a marker after each inversion time."""
    system = pp.Opts(rf_dead_time=100e-6, rf_ringdown_time=30e-6, adc_dead_time=10e-6)
    sequence = pp.Sequence(system)
    flip, delay = np.deg2rad(inversion_deg), system.rf_dead_time
    inversion = pp.make_block_pulse(flip, duration=1e-3, delay=delay, system=system, use="inversion")
    marker = pp.make_adc(1, duration=1e-3, delay=system.adc_dead_time, system=system)
    spoiler = pp.make_trapezoid("z", area=2000, system=system)
    for ti_ms in np.geomspace(smallest_ti_ms, largest_ti_ms, points):
        sequence.add_block(inversion)
        sequence.add_block(spoiler)
        rest = ti_ms * 1e-3 - pp.calc_duration(spoiler) - 0.5e-3 - system.rf_ringdown_time
        sequence.add_block(pp.make_delay(_on_raster(rest)))
        sequence.add_block(marker)
        sequence.add_block(pp.make_delay(_on_raster(recovery_ms * 1e-3)))
    return sequence


def _on_raster(seconds: float) -> float:
    """The nearest time on the raster of blocks [s]."""
    return round(seconds / 1e-5) * 1e-5
