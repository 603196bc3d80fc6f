"""The family `cest_train`: a Z-spectrum by trains of shaped pulses, whatever the scanner's settings.

Defaults are the APT-weighted protocol after the consensus on brain tumours (Zhou et al. 2022,
https://doi.org/10.1002/mrm.29241): 36 raised-cosine-sinc pulses of 50 ms, 5 ms apart, of mean amplitude 1.78 uT, at 34
offsets, the first of which, at -300 ppm, is the M0 scan.  The signal is taken at a marker (a pseudo-ADC) after a
spoiler.
"""

from __future__ import annotations

from typing import Annotated

import pypulseq as pp

from spinloom.sequence.design import Hardware, define, lobes_together, nearest_us, shortest_lobe
from spinloom.sequence.design.hardware import ADC_DEAD_US
from spinloom.sequence.design.saturation import CELL_US, SaturationTrain
from spinloom.sequence.parameter import Meaning
from spinloom.units import PPM, PROTON_GAMMA_BAR

M0_OFFSET_PPM = -300.0
SPOILER_PER_M = 5000.0
"""Moment of the spoiler on each axis [cycles/m]: five cycles a millimetre."""

_SCANNER = Hardware(40.0, 130.0, 100.0)


def cest_train(
    *,
    field_t: Annotated[float, Meaning("field at which offsets in ppm are meant [T]", 0.1, 30)] = 3.0,
    pulses: Annotated[int, Meaning("saturation pulses before each readout", 1, 1000, published=(10, 30))] = 36,
    pulse_ms: Annotated[
        float, Meaning("duration of a saturation pulse, on 0.1 ms [ms]", 0.1, 1000, published=(50, 100))
    ] = 50.0,
    pause_ms: Annotated[float, Meaning("pause between saturation pulses, on 0.01 ms [ms]", 0.2, 1000)] = 5.0,
    recovery_ms: Annotated[
        float, Meaning("recovery before each saturation, on 0.01 ms [ms]", 0.2, 60_000, published=(2000, 4000))
    ] = 3500.0,
    b1_ut: Annotated[float, Meaning("mean amplitude of a saturation pulse [uT]", 0, 100)] = 1.78,
    largest_ppm: Annotated[float, Meaning("largest saturation offset, on either side [ppm]", 0, 100)] = 4.0,
    step_ppm: Annotated[float, Meaning("distance of saturation offsets [ppm]", 0.001, 100)] = 0.25,
) -> pp.Sequence:
    """Z-spectrum by pulsed saturation: one marker an offset."""
    pulse_us, recovery_us = nearest_us(pulse_ms, CELL_US), nearest_us(recovery_ms)
    train = SaturationTrain(b1_ut, pulses, pulse_us, nearest_us(pause_ms), _SCANNER)
    spoiler = shortest_lobe(SPOILER_PER_M, _SCANNER)
    steps = round(largest_ppm / step_ppm)
    offsets = [M0_OFFSET_PPM, *(step * step_ppm for step in range(-steps, steps + 1))]
    sequence = pp.Sequence(_SCANNER.options())
    for offset in offsets:
        sequence.add_block(pp.make_delay(recovery_us * 1e-6))
        train.add(sequence, offset * PPM * PROTON_GAMMA_BAR * field_t)
        sequence.add_block(*lobes_together(spoiler, dict.fromkeys("xyz", SPOILER_PER_M), spoiler.duration_us))
        sequence.add_block(pp.make_adc(1, duration=1e-3, delay=ADC_DEAD_US * 1e-6, system=_SCANNER.options()))
    define(
        sequence,
        Name="cest_train",
        B0=field_t,
        offsets_ppm=offsets,
        M0_offset=M0_OFFSET_PPM,
        pulse_ms=pulse_us / 1e3,
        recovery_ms=recovery_us / 1e3,
    )
    return sequence
