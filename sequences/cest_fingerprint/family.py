"""The family `cest_fingerprint`: a schedule of saturation blocks whose amplitudes and offsets are drawn from a number.

A point of the schedule is a block pulse, a hard pulse of the flip angle on resonance, the signal at a marker 20 ms
after its end, and free precession until the next point (Nagar et al. 2023, https://doi.org/10.1038/s41598-023-45548-8).
Nothing spoils between points.  A point of amplitude zero is a delay.  Schedules of one `schedule` number take the same
shares of their ranges, whatever the ranges are.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import pypulseq as pp

from spinloom.sequence.design import Hardware, define, nearest_us
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.design.hardware import ADC_DEAD_US, RF_DEAD_US, RF_RINGDOWN_US
from spinloom.sequence.parameter import Meaning
from spinloom.units import MICROTESLA, PPM, PROTON_GAMMA_BAR

READOUT_US, ECHO_US, MARKER_US = 2100, 20_000, 1000
"""The readout pulse, the way from its end to the signal, and the marker."""

_SCANNER = Hardware(40.0, 130.0, 100.0)


def cest_fingerprint(
    *,
    points: Annotated[int, Meaning("points of the schedule", 1, 1000)] = 30,
    schedule: Annotated[int, Meaning("number that amplitudes and offsets are drawn from", 0, 1e9)] = 0,
    smallest_b1_ut: Annotated[float, Meaning("smallest amplitude of the saturation [uT]", 0, 100)] = 0.25,
    largest_b1_ut: Annotated[float, Meaning("largest amplitude of the saturation [uT]", 0, 100)] = 6.0,
    smallest_ppm: Annotated[float, Meaning("smallest offset of the saturation [ppm]", -1000, 1000)] = 3.0,
    largest_ppm: Annotated[float, Meaning("largest offset of the saturation [ppm]", -1000, 1000)] = 3.0,
    saturation_ms: Annotated[
        float, Meaning("duration of the saturation, on 0.01 ms [ms]", 0.1, 60_000, published=(1000, 10_000))
    ] = 3000.0,
    recovery_ms: Annotated[
        float,
        Meaning("from the end of a saturation to the next, on 0.01 ms [ms]", 30, 60_000, published=(1000, 10_000)),
    ] = 1000.0,
    flip_deg: may_be.FlipDeg = 60.0,
    field_t: Annotated[float, Meaning("field at which offsets in ppm are meant [T]", 0.1, 30)] = 9.4,
) -> pp.Sequence:
    """A fingerprint of continuous-wave saturation: one marker a point."""
    options = _SCANNER.options()
    saturation_us, recovery_us = nearest_us(saturation_ms), nearest_us(recovery_ms)
    draws = np.random.default_rng(schedule).random((2, points))
    amplitudes = smallest_b1_ut + (largest_b1_ut - smallest_b1_ut) * draws[0]
    offsets = smallest_ppm + (largest_ppm - smallest_ppm) * draws[1]
    readout = pp.make_block_pulse(
        math.radians(flip_deg), duration=READOUT_US * 1e-6, delay=RF_DEAD_US * 1e-6, system=options, use="excitation"
    )
    marker = pp.make_adc(1, duration=MARKER_US * 1e-6, delay=ADC_DEAD_US * 1e-6, system=options)
    echo_us = ECHO_US - RF_RINGDOWN_US - ADC_DEAD_US
    taken_us = (
        RF_RINGDOWN_US + RF_DEAD_US + READOUT_US + RF_RINGDOWN_US + echo_us + 2 * ADC_DEAD_US + MARKER_US + RF_DEAD_US
    )
    sequence = pp.Sequence(options)
    for amplitude, offset in zip(amplitudes.tolist(), offsets.tolist(), strict=True):
        if amplitude > 0:
            frequency = offset * PPM * PROTON_GAMMA_BAR * field_t
            sequence.add_block(_saturation(amplitude, frequency, saturation_us * 1e-6, options))
        else:
            sequence.add_block(pp.make_delay((RF_DEAD_US + saturation_us + RF_RINGDOWN_US) * 1e-6))
        sequence.add_block(readout)
        sequence.add_block(pp.make_delay(echo_us * 1e-6))
        sequence.add_block(marker)
        sequence.add_block(pp.make_delay(max(recovery_us - taken_us, 10) * 1e-6))
    define(
        sequence,
        Name="cest_fingerprint",
        B0=field_t,
        offsets_ppm=offsets.tolist(),
        num_meas=points,
        saturation_ms=saturation_us / 1e3,
        recovery_ms=recovery_us / 1e3,
    )
    return sequence


def _saturation(amplitude: float, frequency: float, duration: float, options: pp.Opts) -> object:
    return pp.make_block_pulse(
        2 * math.pi * PROTON_GAMMA_BAR * amplitude * MICROTESLA * duration,
        duration=duration,
        delay=RF_DEAD_US * 1e-6,
        freq_offset=frequency,
        system=options,
        use="saturation",
    )
