"""The echo train of a fast spin echo: excitation, then refocusing and readout in turn, an echo spacing apart.

Refocusing pulses stand at ESP/2, 3 ESP/2, ... behind the excitation's middle and echoes at ESP, 2 ESP, ...; sample N/2
of a readout is at its echo.  Each pulse has the same moment on both sides, of readout and crusher, and the phase
encoding is wound back before the next, so that all pathways of an echo meet (Carr, Purcell, Meiboom and Gill).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import pypulseq as pp

from spinloom.sequence.design import Hardware, Lobe, Pulse, labels, lobes_together, raster_up, refusal, shortest_lobe

ESP_RASTER_US = 20
"""Raster of echo spacings: half of one is on the raster of blocks."""


@dataclass(frozen=True)
class Readout:
    """A line: its gradient, its dwell time and its samples."""

    gradient: Lobe
    dwell_us: int
    samples: int

    @classmethod
    def planned(cls, fov: float, samples: int, dwell_us: int, hardware: Hardware) -> Readout:
        """The readout of a field of view [m]; `SequenceError` where it needs too strong a gradient."""
        amplitude = 1e6 / (fov * dwell_us)
        if amplitude > hardware.max_grad:
            why = f"it needs a gradient beyond max_grad_mt_m={hardware.max_grad_mt_m:g}"
            raise refusal("dwell_us", dwell_us, why, raster_up(1e6 / (fov * hardware.max_grad), 2))
        rise = raster_up(amplitude / hardware.max_slew)
        flat = raster_up((samples + 1) * dwell_us, ESP_RASTER_US)
        return cls(Lobe.of(amplitude * (rise + flat) * 1e-6, rise, flat), dwell_us, samples)

    @property
    def half_us(self) -> int:
        """From its begin to its middle."""
        return self.gradient.duration_us // 2

    def adc(self) -> SimpleNamespace:
        """The ADC event whose sample N/2 is in the middle."""
        delay = self.half_us - (self.samples + 1) * self.dwell_us // 2
        return pp.make_adc(self.samples, dwell=self.dwell_us * 1e-6, delay=delay * 1e-6)


@dataclass(frozen=True)
class EchoTrain:
    """Everything that a shot plays but for its lines.

    crusher: moment on each axis before and after each refocusing pulse [cycles/m]
    spoiler: moment along z after the last echo [cycles/m]
    fov: along the phase encoding [m]
    """

    excitation: Pulse
    refocusing: Pulse
    readout: Readout
    crusher: Mapping[str, float]
    spoiler: float
    fov: float
    lines: int
    hardware: Hardware

    @property
    def prephase(self) -> Lobe:
        """Timing of the block that brings the first echo into its readout, and rephases the slice."""
        return shortest_lobe(max(self.readout.gradient.area / 2, self.excitation.half_area), self.hardware)

    @property
    def wrap(self) -> Lobe:
        """Timing of the blocks on either side of a refocusing pulse: crusher and phase encoding."""
        encoding = {"x": 0.0, "y": self.lines / 2 / self.fov, "z": 0.0}
        return shortest_lobe(max(abs(self.crusher[axis]) + encoding[axis] for axis in "xyz"), self.hardware)

    @property
    def spoil(self) -> Lobe:
        """Timing of the block after the last echo."""
        return shortest_lobe(max(self.spoiler, self.lines / 2 / self.fov), self.hardware)

    @property
    def shortest_us(self) -> int:
        """The shortest echo spacing."""
        return raster_up(2 * max(self._before_first, self._before_echo, self._after_echo), ESP_RASTER_US)

    @property
    def _before_first(self) -> int:
        """From the excitation to the first refocusing pulse, at the least."""
        gradients = self.prephase.duration_us + self.wrap.duration_us
        return self.excitation.after_us + gradients + self.refocusing.before_us

    @property
    def _before_echo(self) -> int:
        return self.refocusing.after_us + self.wrap.duration_us + self.readout.half_us

    @property
    def _after_echo(self) -> int:
        return self.readout.half_us + self.wrap.duration_us + self.refocusing.before_us

    def length_us(self, esp_us: int, etl: int) -> int:
        """Length of a shot of `etl` echoes."""
        return self.excitation.before_us + etl * esp_us + self.readout.half_us + self.spoil.duration_us

    def add(self, sequence: pp.Sequence, lines: Sequence[int], esp_us: int, shot: int | None) -> None:
        """Play a shot that reads `lines` in this order; without a number of the shot, none of them is sampled."""
        wrap, half_us, encoded = self.wrap, esp_us // 2, 0.0
        sequence.add_block(*self.excitation.events())
        areas = {"x": self.readout.gradient.area / 2, "z": -self.excitation.half_area}
        slack = half_us - self._before_first
        sequence.add_block(*lobes_together(self.prephase, areas, self.prephase.duration_us + slack))
        slack = 0
        for line in lines:
            sequence.add_block(*lobes_together(wrap, self._around(-encoded), wrap.duration_us + slack))
            sequence.add_block(*self.refocusing.events())
            encoded = (line - self.lines // 2) / self.fov
            slack = half_us - self._before_echo
            sequence.add_block(*lobes_together(wrap, self._around(encoded), wrap.duration_us + slack))
            sampling = [] if shot is None else [self.readout.adc(), *labels(LIN=int(line), SEG=shot)]
            sequence.add_block(*self.readout.gradient.on("x"), *sampling)
            slack = half_us - self._after_echo
        sequence.add_block(*lobes_together(self.spoil, {"y": -encoded, "z": self.spoiler}, self.spoil.duration_us))

    def _around(self, encoding: float) -> dict[str, float]:
        """Moments of a crusher and a phase encoding together [cycles/m]."""
        return {**self.crusher, "y": self.crusher["y"] + encoding}
