"""ADC events."""

from __future__ import annotations

from typing import Any

from spinloom.errors import SequenceError
from spinloom.sequence.events import AdcEvent
from spinloom.sequence.lowering.shapes import Shapes


def lower_readouts(sequence: Any, shapes: Shapes) -> dict[int, AdcEvent]:
    """ADC events by their ids."""
    return {int(key): _readout(int(key), data, shapes) for key, data in sequence.adc_library.data.items()}


def _readout(key: int, data: Any, shapes: Shapes) -> AdcEvent:
    samples, dwell = int(data[0]), float(data[1])
    if samples < 1 or dwell <= 0:
        raise SequenceError(
            f"ADC event {key} has {samples} samples every {dwell:g} s; it needs a sample and a positive dwell."
        )
    phase_shape = shapes(data[7], f"ADC event {key}") if data[7] else None
    if phase_shape is not None and phase_shape.size != samples:
        raise SequenceError(f"ADC event {key} has {samples} samples, but phases for {phase_shape.size}.")
    return AdcEvent(
        samples=samples,
        dwell=dwell,
        delay=float(data[2]),
        frequency_offset=float(data[5]),
        phase_offset=float(data[6]),
        frequency_ppm=float(data[3]),
        phase_ppm=float(data[4]),
        phase_shape=phase_shape,
    )
