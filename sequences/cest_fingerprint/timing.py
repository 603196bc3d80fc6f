"""Fingerprints of continuous-wave saturation, point after point, as a `.seq`.

A point is a block pulse, a hard pulse of the flip angle on resonance, the signal at a marker 20 ms after its end, and
free precession until the next point (Nagar et al. 2023, https://doi.org/10.1038/s41598-023-45548-8).  Nothing spoils
between points.  A point of amplitude zero is a delay.

At the end of a saturation some magnetisation lies across the field, a share sin(theta), tan(theta) = B1 / offset, and
has turned by offset x duration against the readout pulse.  A quarter of a turn more or less, 0.2 ms in 3 s, moves a
signal by several percent.  `whole_turns` ends each saturation on a whole turn, so that the signal is a smooth function
of the settings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pypulseq as pp

from spinloom.sequence.design import Hardware, define
from spinloom.sequence.design.hardware import ADC_DEAD_US, RASTER_US, RF_DEAD_US, RF_RINGDOWN_US
from spinloom.units import MICROTESLA, PPM, PROTON_GAMMA_BAR

READOUT_US, ECHO_US, MARKER_US = 2100, 20_000, 1000
"""The readout pulse, the way from its end to the signal, and the marker."""

_SCANNER = Hardware(40.0, 130.0, 100.0)
_DIGITS = ".6g"
"""Of a frequency in a `.seq`."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What all points share.

    saturation_us, recovery_us: begin to end of a saturation, and from there to the next [us]
    flip_deg: of the readout [degrees]
    field_t: at which offsets in ppm are meant [T]
    whole_turns: whether a saturation is shortened or prolonged, by half a turn at most, to a whole number of turns of
        its offset
    """

    saturation_us: int
    recovery_us: int
    flip_deg: float
    field_t: float
    whole_turns: bool

    def saturation(self, frequency: float) -> int:
        """Duration of the saturation at an offset [Hz], in us."""
        if not self.whole_turns or frequency == 0:
            return self.saturation_us
        turn = 1e6 / abs(frequency)
        return max(1, round(turn * round(self.saturation_us / turn)))


def play(name: str, amplitudes: Sequence[float], offsets: Sequence[float], timing: Timing) -> pp.Sequence:
    """The sequence of saturations of these amplitudes [uT] and offsets [ppm]."""
    options = _SCANNER.options()
    readout = pp.make_block_pulse(
        math.radians(timing.flip_deg),
        duration=READOUT_US * 1e-6,
        delay=RF_DEAD_US * 1e-6,
        system=options,
        use="excitation",
    )
    marker = pp.make_adc(1, duration=MARKER_US * 1e-6, delay=ADC_DEAD_US * 1e-6, system=options)
    echo_us = ECHO_US - RF_RINGDOWN_US - ADC_DEAD_US
    taken_us = (
        RF_RINGDOWN_US + RF_DEAD_US + READOUT_US + RF_RINGDOWN_US + echo_us + 2 * ADC_DEAD_US + MARKER_US + RF_DEAD_US
    )
    sequence = pp.Sequence(options)
    for amplitude, offset in zip(amplitudes, offsets, strict=True):
        sequence.add_block(*_saturation(amplitude, offset, timing, options))
        sequence.add_block(readout)
        sequence.add_block(pp.make_delay(echo_us * 1e-6))
        sequence.add_block(marker)
        sequence.add_block(pp.make_delay(max(timing.recovery_us - taken_us, RASTER_US) * 1e-6))
    define(
        sequence,
        Name=name,
        B0=timing.field_t,
        offsets_ppm=list(offsets),
        num_meas=len(offsets),
        saturation_ms=timing.saturation_us / 1e3,
        recovery_ms=timing.recovery_us / 1e3,
    )
    return sequence


def _saturation(amplitude: float, offset: float, timing: Timing, options: pp.Opts) -> tuple[object, ...]:
    """The events of a saturation, whose block ends on the raster of blocks."""
    if amplitude == 0:
        return (pp.make_delay((RF_DEAD_US + timing.saturation_us + RF_RINGDOWN_US) * 1e-6),)
    frequency = float(f"{offset * PPM * PROTON_GAMMA_BAR * timing.field_t:{_DIGITS}}")
    length = timing.saturation(frequency)
    pulse = pp.make_block_pulse(
        2 * math.pi * PROTON_GAMMA_BAR * amplitude * MICROTESLA * length * 1e-6,
        duration=length * 1e-6,
        delay=RF_DEAD_US * 1e-6,
        freq_offset=frequency,
        system=options,
        use="saturation",
    )
    whole_us = -(-(RF_DEAD_US + length + RF_RINGDOWN_US) // RASTER_US) * RASTER_US
    return pulse, pp.make_delay(whole_us * 1e-6)
