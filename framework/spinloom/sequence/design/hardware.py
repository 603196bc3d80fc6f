"""What a scanner's gradients and RF can do, and the rasters on which events begin and end.

Limits hold for each gradient axis alone: two axes at once may reach root two of them.  Nerve stimulation and heating
are not looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pypulseq as pp

from spinloom.units import MICROTESLA, PROTON_GAMMA_BAR

RASTER_US = 10
"""Raster of gradients and blocks [us]."""

DWELL_RASTER_US = 2
"""Raster of dwell times [us]: an ADC delay is a whole microsecond in a file, and with an even number of samples the
middle between two of them and a sample itself are both whole microseconds only where the dwell time is even."""

RF_DEAD_US, RF_RINGDOWN_US, ADC_DEAD_US = 100, 30, 10
"""Before and after a pulse, and on either side of an ADC event [us]."""

_WITHIN = 1 - 1e-5
"""Share of a limit that is used, so that six digits in the file cannot exceed it."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Limits of a scanner: gradient amplitude [mT/m], slew rate [T/m/s], peak RF amplitude [uT]."""

    max_grad_mt_m: float
    max_slew_t_m_s: float
    max_b1_ut: float

    @property
    def max_grad(self) -> float:
        """Largest gradient [Hz/m]."""
        return self.max_grad_mt_m * 1e-3 * PROTON_GAMMA_BAR * _WITHIN

    @property
    def max_slew(self) -> float:
        """Largest slew rate [Hz/m/us]."""
        return self.max_slew_t_m_s * 1e-6 * PROTON_GAMMA_BAR * _WITHIN

    @property
    def max_b1(self) -> float:
        """Largest nutation frequency [Hz]."""
        return self.max_b1_ut * MICROTESLA * PROTON_GAMMA_BAR

    def options(self) -> pp.Opts:
        """The same as pypulseq needs it."""
        return pp.Opts(
            max_grad=self.max_grad_mt_m * 1e-3 * PROTON_GAMMA_BAR,
            max_slew=self.max_slew_t_m_s * PROTON_GAMMA_BAR,
            gamma=PROTON_GAMMA_BAR,
            rf_dead_time=RF_DEAD_US * 1e-6,
            rf_ringdown_time=RF_RINGDOWN_US * 1e-6,
            adc_dead_time=ADC_DEAD_US * 1e-6,
            rf_raster_time=1e-6,
            grad_raster_time=RASTER_US * 1e-6,
            adc_raster_time=100e-9,
            block_duration_raster=RASTER_US * 1e-6,
        )


def raster_up(time_us: float, raster_us: int = RASTER_US) -> int:
    """The first raster time that is not before `time_us`."""
    return math.ceil(time_us / raster_us - 1e-9) * raster_us


def nearest_us(time_ms: float, raster_us: int = RASTER_US) -> int:
    """The raster time that is nearest to a time in ms, the later one of two."""
    return math.floor(time_ms * 1e3 / raster_us + 0.5 + 1e-9) * raster_us
