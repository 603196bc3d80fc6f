"""Trapezoids on the gradient raster, as short or as gentle as the hardware allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import pypulseq as pp

from spinloom.sequence.design.hardware import RASTER_US, Hardware, raster_up


@dataclass(frozen=True, slots=True)
class Lobe:
    """A symmetric trapezoid.

    amplitude: with the six digits that a file keeps [Hz/m]
    rise_us, flat_us: of either ramp, and between the ramps
    """

    amplitude: float
    rise_us: int
    flat_us: int

    @classmethod
    def of(cls, area: float, rise_us: int, flat_us: int) -> Lobe:
        """The lobe of this timing that has the moment `area` [cycles/m], but for the digits of the file."""
        return cls(six_digits(area / (rise_us + flat_us) * 1e6), rise_us, flat_us)

    @property
    def duration_us(self) -> int:
        """From its begin to its end."""
        return 2 * self.rise_us + self.flat_us

    @property
    def area(self) -> float:
        """Its moment [cycles/m]."""
        return self.amplitude * (self.rise_us + self.flat_us) * 1e-6

    def with_area(self, area: float) -> Lobe:
        """The lobe of the same timing and another moment [cycles/m]."""
        return Lobe.of(area, self.rise_us, self.flat_us)

    def on(self, axis: str, delay_us: int = 0) -> list[SimpleNamespace]:
        """The event on one axis of a block, as a list; empty where the amplitude is zero."""
        if self.amplitude == 0:
            return []
        rise, flat, delay = (time * 1e-6 for time in (self.rise_us, self.flat_us, delay_us))
        event: SimpleNamespace = pp.make_trapezoid(
            axis, amplitude=self.amplitude, rise_time=rise, flat_time=flat, fall_time=rise, delay=delay, system=_FREE
        )
        return [event]


_FREE = pp.Opts(max_grad=1e3, grad_unit="mT/m", max_slew=1e5, slew_unit="T/m/s")
"""Lobes are within the limits when they become events."""


def shortest_lobe(area: float, hardware: Hardware) -> Lobe:
    """The shortest trapezoid of the moment `area` [cycles/m], and of several the one of longest ramps."""
    wanted = max(abs(area), 1e-9) * 1e6
    longest = max(raster_up(hardware.max_grad / hardware.max_slew), RASTER_US)
    rises = range(RASTER_US, longest + RASTER_US, RASTER_US)
    timings = [(rise, _flat(wanted, rise, hardware)) for rise in rises]
    rise, flat = min(timings, key=lambda timing: (2 * timing[0] + timing[1], -timing[0]))
    return Lobe.of(area, rise, flat)


def lobes_together(timing: Lobe, areas: Mapping[str, float], duration_us: int) -> list[SimpleNamespace]:
    """The events of a block of `duration_us` that gives each axis its moment [cycles/m], all in the same timing."""
    events = [event for axis, area in areas.items() for event in timing.with_area(area).on(axis)]
    return [*events, pp.make_delay(duration_us * 1e-6)]


def _flat(wanted: float, rise_us: int, hardware: Hardware) -> int:
    strongest = min(hardware.max_grad, hardware.max_slew * rise_us)
    return max(0, raster_up(wanted / strongest - rise_us))


def six_digits(value: float) -> float:
    """The number that a file holds in place of `value`."""
    return float(f"{value:.6g}")
