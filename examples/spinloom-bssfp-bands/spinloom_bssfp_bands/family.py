"""The family `bssfp_bands`: balanced SSFP of a plane, a line of k-space each TR, every gradient rewound.

Pulses turn about an axis that advances by `increment_deg` each TR, after one of half the flip angle half a TR before
(Deimling and Heid 1994).  The sample in the middle of a line is taken in the middle of TR.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pypulseq as pp

from spinloom import Meaning, SequenceError

PULSE, PREPHASE, DWELL, RASTER = 0.4e-3, 0.8e-3, 20e-6, 1e-5
"""Length of a pulse, of the lobes around a line, of a sample, and of the raster [s]."""


def bssfp_bands(
    *,
    matrix: Annotated[int, Meaning("lines and samples a line", 4, 256, multiple=2)] = 64,
    fov_mm: Annotated[float, Meaning("field of view [mm]", 20, 1000)] = 220.0,
    flip_deg: Annotated[float, Meaning("flip angle [deg]", 1, 90, published=(20, 60))] = 40.0,
    tr_ms: Annotated[float, Meaning("from pulse to pulse, on 0.02 ms [ms]", 2, 100)] = 6.0,
    increment_deg: Annotated[float, Meaning("advance of the pulses' phase [deg]", 0, 360)] = 180.0,
    dummies: Annotated[int, Meaning("pulses before the first line", 0, 10_000)] = 200,
) -> pp.Sequence:
    """Balanced SSFP of a plane, 2-D Cartesian."""
    system = pp.Opts(
        max_grad=60, grad_unit="mT/m", max_slew=180, slew_unit="T/m/s", rf_dead_time=100e-6, adc_dead_time=10e-6
    )
    step = 1e3 / fov_mm
    line = pp.make_trapezoid("x", flat_area=matrix * step, flat_time=matrix * DWELL, system=system)
    ramp = line.area / 2 - matrix * step / 2
    before = pp.make_trapezoid("x", area=-ramp - (matrix / 2 + 0.5) * step, duration=PREPHASE, system=system)
    after = pp.make_trapezoid("x", area=-line.area - before.area, duration=PREPHASE, system=system)
    largest = pp.make_trapezoid("y", area=-matrix / 2 * step, duration=PREPHASE, system=system)
    adc = pp.make_adc(matrix, dwell=DWELL, delay=line.rise_time, system=system)
    half = round(tr_ms * 1e-3 / 2 / RASTER) * RASTER
    first = half - line.rise_time - (matrix / 2 + 0.5) * DWELL - PREPHASE - PULSE / 2
    last = 2 * half - PULSE - 2 * PREPHASE - pp.calc_duration(line) - first - system.rf_dead_time
    if min(first, last) < 0:
        least = tr_ms - 2e3 * min(first, last) + 0.02
        raise SequenceError(f"tr_ms={tr_ms:g} is too short for matrix={matrix}; the least is about tr_ms={least:.2f}.")
    sequence = pp.Sequence(system)
    sequence.add_block(_pulse(flip_deg / 2, -increment_deg, system))
    sequence.add_block(pp.make_delay(_raster(half - PULSE - system.rf_dead_time)))
    for number in range(dummies + matrix):
        adc.phase_offset = np.deg2rad(increment_deg * number) % (2 * np.pi)
        lobe = pp.scale_grad(largest, 1 - 2 * max(number - dummies, 0) / matrix)
        sequence.add_block(_pulse(flip_deg, increment_deg * number, system))
        sequence.add_block(pp.make_delay(_raster(first)))
        sequence.add_block(before, lobe)
        if number < dummies:
            sequence.add_block(line)
        else:
            sequence.add_block(line, adc, pp.make_label("LIN", "SET", number - dummies))
        sequence.add_block(after, pp.scale_grad(lobe, -1))
        sequence.add_block(pp.make_delay(_raster(last)))
    sequence.set_definition("FOV", [fov_mm * 1e-3, fov_mm * 1e-3, 5e-3])
    sequence.set_definition("Matrix", [matrix, matrix])
    sequence.set_definition("TR", 2 * half)
    sequence.set_definition("FlipAngle", flip_deg)
    return sequence


def _pulse(flip_deg: float, phase_deg: float, system: pp.Opts) -> object:
    phase, delay = np.deg2rad(phase_deg) % (2 * np.pi), system.rf_dead_time
    return pp.make_block_pulse(
        np.deg2rad(flip_deg), duration=PULSE, phase_offset=phase, delay=delay, system=system, use="excitation"
    )


def _raster(seconds: float) -> float:
    """The nearest time on the raster of blocks [s]."""
    return max(round(seconds / RASTER), 1) * RASTER
