"""A CEST fingerprint: saturation of varying amplitude and offset, a readout pulse, recovery, and again.

One point of a schedule is: a block pulse of `saturation` seconds; a hard pulse of the flip angle on resonance; the
signal 20 ms after its end; free precession until the repetition time is over.  Nothing spoils between points, so that
transverse and longitudinal magnetisation go from one point into the next.

A point of amplitude zero is a delay of the same length: free precession, as published files write it.  Every pulse
starts at phase zero of the Larmor frame: with one saturation pulse a point there is no train to continue.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from types import SimpleNamespace

import pypulseq as pp
from blocks import ADC_DEAD_TIME, DEAD_TIME, RING_DOWN, marker, scanner, turns

READOUT = 2.1e-3  # duration of the readout pulse [s]
ECHO = 20e-3  # from the readout pulse's end to the signal [s]


def fingerprint(
    points: Iterable[tuple[float, float]], b0: float, saturation: float, repetition: float, flip_deg: float
) -> pp.Sequence:
    """The sequence of a schedule.

    points: amplitude [uT] and frequency offset [Hz] of the saturation, a pair a point
    b0: static field [T]
    saturation, repetition: from begin to end of the saturation, and from one to the next [s]
    flip_deg: flip angle of the readout pulse [degrees]
    """
    system = scanner(b0)
    readout = pp.make_block_pulse(
        math.radians(flip_deg), duration=READOUT, delay=DEAD_TIME, system=system, use="excitation"
    )
    signal = marker(system)
    taken = sum(map(pp.calc_duration, (_saturation(1.0, 0.0, saturation, system), readout, signal)))
    echo = ECHO - RING_DOWN - ADC_DEAD_TIME
    sequence = pp.Sequence(system)
    for b1, frequency in points:
        sequence.add_block(_saturation(b1, frequency, saturation, system))
        sequence.add_block(readout)
        sequence.add_block(pp.make_delay(echo))
        sequence.add_block(signal)
        sequence.add_block(pp.make_delay(repetition - taken - echo))
    return sequence


def _saturation(b1: float, frequency: float, duration: float, system: pp.Opts) -> SimpleNamespace:
    if b1 == 0:
        return pp.make_delay(DEAD_TIME + duration + RING_DOWN)
    return pp.make_block_pulse(
        turns(b1, duration),
        duration=duration,
        delay=DEAD_TIME,
        freq_offset=frequency,
        system=system,
        use="saturation",
    )
