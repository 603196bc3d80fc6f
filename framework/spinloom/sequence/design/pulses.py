"""Hard pulses, and slice-selective sinc pulses with their gradient.

A sinc pulse is a raised-cosine sinc, A [(1 - a) + a cos(2 pi t/T)] sinc(W t/T) with a = 1/2 and W = 4, in cells of
10 us; it selects W/T/thickness [Hz/m].  A slice away from the isocentre is at the frequency G z, and the phase of the
pulse is what was asked for at its middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pypulseq as pp

from spinloom.sequence.design.hardware import RASTER_US, RF_DEAD_US, RF_RINGDOWN_US, Hardware, nearest_us, raster_up
from spinloom.sequence.design.lobes import Lobe, six_digits
from spinloom.sequence.design.refusal import refusal

TIME_BANDWIDTH = 4.0
APODISATION = 0.5

PULSE_RASTER_US = 2 * RASTER_US
"""Raster of durations: the middle of a pulse is on the raster of the gradients."""

DEFAULT_US = {"hard": 500, "sinc": 2560}
"""Duration of a pulse where none is asked for."""

PulseShape = Literal["hard", "sinc"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """A pulse in a block of its own.

    rf: its event
    selection: slice gradient, None for a hard pulse; it is symmetric about the pulse's middle
    selection_delay_us: from the block's begin to the slice gradient
    before_us, after_us: from the block's begin to the pulse's middle, and from there to the block's end
    """

    rf: SimpleNamespace
    selection: Lobe | None
    selection_delay_us: int
    before_us: int
    after_us: int

    def events(self) -> list[SimpleNamespace]:
        """The events of the block, with a delay that makes it as long as it is."""
        gradient = self.selection.on("z", self.selection_delay_us) if self.selection else []
        return [self.rf, *gradient, pp.make_delay((self.before_us + self.after_us) * 1e-6)]

    @property
    def half_area(self) -> float:
        """Moment of the slice gradient on either side of the pulse's middle [cycles/m]."""
        return self.selection.area / 2 if self.selection else 0.0


@dataclass(frozen=True, slots=True)
class PulseDesign:
    """What the pulses of a sequence share.

    thickness_mm, offset_mm: of the slice, and of its middle along z; a hard pulse has none
    """

    shape: PulseShape
    hardware: Hardware
    thickness_mm: float
    offset_mm: float = 0.0

    def duration_us(self, asked_ms: float | None) -> int:
        """The duration that plays where `asked_ms` is asked for, or none."""
        asked = DEFAULT_US[self.shape] if asked_ms is None else nearest_us(asked_ms, PULSE_RASTER_US)
        return max(asked, PULSE_RASTER_US)

    def pulse(
        self, parameter: str, use: str, flip_deg: float, duration_us: int, phase: float = 0.0, half_raster: bool = False
    ) -> Pulse:
        """A pulse of `duration_us`, which the family's `parameter` chose.

        phase: at the pulse's middle [rad]
        half_raster: put the middle half a raster behind the raster of blocks

        Raises `SequenceError` where its amplitude or its slice gradient exceeds the hardware.
        """
        shift = RASTER_US // 2 if half_raster else 0
        selection = self._selection(duration_us, shift) if self.shape == "sinc" else None
        lead = max(RF_DEAD_US, selection.rise_us if selection else 0)
        centre = lead + shift + duration_us // 2
        rf = self._rf(use, flip_deg, duration_us, lead + shift, phase, selection)
        self._check_amplitude(parameter, rf, duration_us)
        tail = max(RF_RINGDOWN_US, shift + selection.rise_us if selection else 0)
        length = raster_up(centre + duration_us // 2 + tail)
        return Pulse(rf, selection, lead - (selection.rise_us if selection else 0), centre, length - centre)

    def _selection(self, duration_us: int, shift_us: int) -> Lobe:
        amplitude = TIME_BANDWIDTH / (duration_us * 1e-6) / (self.thickness_mm * 1e-3)
        if amplitude > self.hardware.max_grad:
            thinnest = math.ceil(self.thickness_mm * amplitude / self.hardware.max_grad * 1e3) / 1e3
            raise refusal(
                "slice_thickness_mm",
                self.thickness_mm,
                f"with pulses of {duration_us / 1e3:g} ms it needs a gradient beyond "
                f"max_grad_mt_m={self.hardware.max_grad_mt_m:g}",
                thinnest,
            )
        rise = max(raster_up(amplitude / self.hardware.max_slew), RASTER_US)
        return Lobe(six_digits(amplitude), rise, duration_us + 2 * shift_us)

    def _rf(
        self, use: str, flip_deg: float, duration_us: int, delay_us: int, phase: float, selection: Lobe | None
    ) -> SimpleNamespace:
        flip, duration, delay = math.radians(flip_deg), duration_us * 1e-6, delay_us * 1e-6
        system = self.hardware.options()
        if selection is None:
            rf: SimpleNamespace = pp.make_block_pulse(
                flip, delay=delay, duration=duration, phase_offset=phase, system=system, use=use
            )
            return rf
        frequency = selection.amplitude * self.offset_mm * 1e-3
        shaped: SimpleNamespace = pp.make_sinc_pulse(
            flip,
            apodization=APODISATION,
            delay=delay,
            duration=duration,
            dwell=RASTER_US * 1e-6,
            freq_offset=frequency,
            phase_offset=math.remainder(phase - math.pi * frequency * duration, 2 * math.pi),
            time_bw_product=TIME_BANDWIDTH,
            system=system,
            use=use,
        )
        return shaped

    def _check_amplitude(self, parameter: str, rf: SimpleNamespace, duration_us: int) -> None:
        peak = float(np.abs(rf.signal).max())
        if peak > self.hardware.max_b1 * (1 + 1e-9):
            shortest = raster_up(duration_us * peak / self.hardware.max_b1, PULSE_RASTER_US)
            raise refusal(
                parameter,
                duration_us / 1e3,
                f"its {self.shape} pulse needs a peak beyond max_b1_ut={self.hardware.max_b1_ut:g}",
                shortest / 1e3,
            )
