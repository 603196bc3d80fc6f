"""Small timelines built from values, for tests that need no file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinloom.sequence.timeline import AdcEvent, GradientEvent, Rasters, RfEvent, RfWaveform, Timeline

SPOILER = GradientEvent("trapezoid", 2e6, 0.0, (0.0, 1e-3, 5e-3, 6e-3), None, None, False, 0.0, 0.0, 1e-5)
"""A gradient of ten cycles a millimetre."""

MARKER = AdcEvent(1, 1e-3, 0.0, 0.0, 0.0, 0.0, 0.0, None)
"""A pseudo-ADC."""

Part = float | tuple[RfWaveform, RfEvent] | GradientEvent | AdcEvent


def timeline_of(parts: Sequence[Part]) -> Timeline:
    """A timeline whose blocks play one part each: a delay [s], a pulse, a gradient on z, or an ADC event.

    The waveform index of each RF event is set here: equal waveform objects are one.
    """
    waveforms: list[RfWaveform] = []
    rf: list[RfEvent] = []
    gradients: list[GradientEvent] = []
    adcs: list[AdcEvent] = []
    durations, tables = [], []
    for part in parts:
        row = [-1, -1, -1]
        match part:
            case GradientEvent():
                durations.append(part.duration)
                row[1] = _position(part, gradients)
            case AdcEvent():
                durations.append(part.duration)
                row[2] = _position(part, adcs)
            case (RfWaveform() as waveform, RfEvent() as event):
                durations.append(event.delay + waveform.duration)
                number = _position(waveform, waveforms)
                rf.append(RfEvent(**{**vars(event), "waveform": number}))
                row[0] = len(rf) - 1
            case _:
                durations.append(float(part))
        tables.append(row)
    table = np.array(tables)
    gradient_table = np.full((3, len(durations)), -1)
    gradient_table[2] = table[:, 1]
    return Timeline(
        version=(1, 5, 0),
        definitions={},
        rasters=Rasters(1e-6, 1e-5, 1e-7, 1e-5),
        waveforms=tuple(waveforms),
        rf=tuple(rf),
        gradients=tuple(gradients),
        adcs=tuple(adcs),
        extensions=(),
        block_duration=np.array(durations),
        block_rf=table[:, 0].copy(),
        block_gradient=gradient_table,
        block_adc=table[:, 2].copy(),
        block_extension=np.full(len(durations), -1),
        source="a timeline built from values",
        sha256="",
    )


def block_pulse(
    duration: float, amplitude: float, frequency: float = 0.0, phase: float = 0.0
) -> tuple[RfWaveform, RfEvent]:
    """A rectangular pulse of `amplitude` [Hz] for `duration` [s] at `frequency` [Hz] and `phase` [rad]."""
    waveform = RfWaveform(np.array([duration]), np.array([1.0 + 0j]), exact=True)
    return waveform, rf_event(amplitude, frequency, phase)


def rf_event(amplitude: float, frequency: float = 0.0, phase: float = 0.0) -> RfEvent:
    """An RF event without delay; `timeline_of` sets its waveform."""
    return RfEvent(0, amplitude, 0.0, frequency, phase, 0.0, 0.0, "undefined")


def _position(item: object, known: list) -> int:
    for index, other in enumerate(known):
        if other is item:
            return index
    known.append(item)
    return len(known) - 1
