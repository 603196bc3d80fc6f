"""Saturation by a train of raised-cosine-sinc pulses at one frequency offset.

A pulse is A [(1 - a) + a cos(2 pi t/T)] sinc(W t/T) with a = 0.15 and W = 2, in cells of 100 us.  The phase of pulse n
continues that of the pulses before it over their durations, 2 pi f n T, so that it stands still during pauses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pypulseq as pp

from spinloom.sequence.design.hardware import RASTER_US, RF_DEAD_US, RF_RINGDOWN_US, Hardware
from spinloom.units import MICROTESLA, PROTON_GAMMA_BAR

TIME_BANDWIDTH, APODISATION = 2.0, 0.15
CELL_US = 100
"""Cells of constant amplitude in which a pulse is sampled."""


@dataclass(frozen=True, slots=True)
class SaturationTrain:
    """Equal pulses with pauses between them.

    b1_ut: mean amplitude of a pulse
    pulse_us, pause_us: duration of a pulse, and from the end of one to the begin of the next
    """

    b1_ut: float
    pulses: int
    pulse_us: int
    pause_us: int
    hardware: Hardware

    def add(self, sequence: pp.Sequence, frequency: float) -> None:
        """Play the train at the offset `frequency` [Hz]; of no amplitude, which no shape can have, it is its time."""
        pulse = self._pulse()
        if not np.any(pulse.signal):
            pulse = pp.make_delay(pp.calc_duration(pulse))
        duration = self.pulse_us * 1e-6
        between = pp.make_delay(max(self.pause_us - RF_DEAD_US - RF_RINGDOWN_US, RASTER_US) * 1e-6)
        for number in range(self.pulses):
            if number > 0:
                sequence.add_block(between)
            pulse.freq_offset = frequency
            pulse.phase_offset = 2 * math.pi * (frequency * duration * number % 1)
            sequence.add_block(pulse)

    def _pulse(self) -> SimpleNamespace:
        cells = self.pulse_us // CELL_US
        time = (np.arange(cells) + 0.5) / cells - 0.5
        shape = (1 - APODISATION + APODISATION * np.cos(2 * np.pi * time)) * np.sinc(TIME_BANDWIDTH * time)
        event: SimpleNamespace = pp.make_arbitrary_rf(
            shape,
            2 * math.pi * PROTON_GAMMA_BAR * self.b1_ut * MICROTESLA * self.pulse_us * 1e-6,
            dwell=CELL_US * 1e-6,
            delay=RF_DEAD_US * 1e-6,
            system=self.hardware.options(),
            use="saturation",
        )
        return event
