"""What the scripts of this folder share: the scanner, pauses, spoiler, marker, and how a file is written.

Times here are those between events.  A pulse brings a dead time before it and a ring-down after it, so that a pause
of 5 ms between two pulses is a shorter delay in the file; `between_pulses` and its like subtract what is there.
"""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pypulseq as pp

from spinloom.units import PPM, PROTON_GAMMA_BAR

DEAD_TIME = 100e-6  # before a pulse [s]
RING_DOWN = 30e-6  # after a pulse [s]
ADC_DEAD_TIME = 10e-6  # before and after an ADC event [s]


def scanner(b0: float) -> pp.Opts:
    """A whole-body scanner of field `b0` [T]: what a file needs, and what its gradients may do."""
    return pp.Opts(
        B0=b0,
        gamma=PROTON_GAMMA_BAR,
        max_grad=40,
        grad_unit="mT/m",
        max_slew=130,
        slew_unit="T/m/s",
        rf_dead_time=DEAD_TIME,
        rf_ringdown_time=RING_DOWN,
        adc_dead_time=ADC_DEAD_TIME,
        rf_raster_time=1e-6,
        grad_raster_time=10e-6,
        adc_raster_time=100e-9,
        block_duration_raster=10e-6,
    )


def hertz(offset_ppm: float, b0: float) -> float:
    """A frequency offset given in ppm at the field `b0` [T], in Hz."""
    return offset_ppm * PPM * PROTON_GAMMA_BAR * b0


def turns(b1: float, duration: float) -> float:
    """Flip angle [rad] of a pulse of mean amplitude `b1` [uT] and `duration` [s]; it passes many full turns."""
    return 2 * math.pi * PROTON_GAMMA_BAR * b1 * 1e-6 * duration


def between_pulses(duration: float) -> SimpleNamespace:
    """The delay that lets `duration` [s] pass from the end of one pulse to the begin of the next."""
    return pp.make_delay(duration - RING_DOWN - DEAD_TIME)


def before_pulse(duration: float) -> SimpleNamespace:
    """The delay that lets `duration` [s] pass from a block without RF to the begin of a pulse."""
    return pp.make_delay(duration - DEAD_TIME)


def spoiler(system: pp.Opts) -> list[SimpleNamespace]:
    """Trapezoids on x, y and z at once: 32 mT/m, 1 ms ramps, 5.5 ms."""
    return [
        pp.make_trapezoid(axis, system=system, amplitude=0.8 * system.max_grad, rise_time=1e-3, duration=5.5e-3)
        for axis in "xyz"
    ]


def marker(system: pp.Opts) -> SimpleNamespace:
    """A pseudo-ADC of one sample: the scanner's readout stands here, the simulated signal is taken at its begin."""
    return pp.make_adc(1, duration=1e-3, delay=ADC_DEAD_TIME, system=system)


def define(sequence: pp.Sequence, script: str, b0: float, **values: float | str | list[float]) -> None:
    """Write the definitions that CEST files carry; `script` gives the sequence its name."""
    shared = {"B0": b0, "FREQ": b0 * PROTON_GAMMA_BAR * 1e-6, "seq_id_string": Path(script).stem}
    for key, value in {**shared, **values}.items():
        sequence.set_definition(key, value)


def write(sequence: pp.Sequence, script: str) -> None:
    """Write the `.seq` file beside its script, signed."""
    path = Path(script).with_suffix(".seq")
    sequence.write(str(path), create_signature=True)
    print(f"{path.name}: {sequence.duration()[0]:.3f} s, {path.stat().st_size / 1000:.0f} kB")
