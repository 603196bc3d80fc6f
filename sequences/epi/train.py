"""The echo-planar train: readout lobes of alternating sign, a phase-encoding blip at the end of each but the last.

The train begins at k = -(A/2, N/2 blips), A being the moment of a lobe, so that the middle of line l is at kx = 0 and
ky = (l - N/2)/FOV.  Sample M/2 of an even line and sample M/2 - 1 of an odd one stand there, so that odd lines, read
backwards, meet the same points.  Without ramp sampling M = N and all samples are on the flat top, at kx = (n -
N/2)/FOV; with it they are evenly spaced in time, no further apart than 1/FOV, and the first one is at -N/2/FOV.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace

import pypulseq as pp

from spinloom.errors import SequenceError
from spinloom.sequence.design import RASTER_US, Hardware, Lobe, labels, refusal, shortest_lobe
from spinloom.sequence.design.hardware import ADC_DEAD_US, DWELL_RASTER_US

LONGEST_US = 100_000
"""Echo spacing beyond which no search goes on."""


@dataclass(frozen=True)
class EchoPlanarTrain:
    """A train that the hardware can play.

    readout: the lobe of a line, which lasts the echo spacing
    blip: phase encoding from line to line
    samples, dwell_us: of a line
    lines: of k-space
    """

    readout: Lobe
    blip: Lobe
    samples: int
    dwell_us: int
    lines: int

    @property
    def spacing_us(self) -> int:
        """Echo spacing."""
        return self.readout.duration_us

    @property
    def begin(self) -> dict[str, float]:
        """Where in k-space the train begins [cycles/m]."""
        return {"x": -self.readout.area / 2, "y": -(self.lines // 2) * self.blip.area}

    def until_us(self, line: int) -> int:
        """From the begin of the train to the middle of a line."""
        return line * self.spacing_us + self.spacing_us // 2

    def add(self, sequence: pp.Sequence) -> None:
        """Play the lines."""
        sides = [(self.readout, self._adc(0)), (replace(self.readout, amplitude=-self.readout.amplitude), self._adc(1))]
        blip = self.blip.on("y", self.spacing_us - self.blip.duration_us)
        for line in range(self.lines):
            back = line % 2
            lobe, adc = sides[back]
            blips = blip if line < self.lines - 1 else []
            sequence.add_block(*lobe.on("x"), *blips, adc, *labels(LIN=line, REV=back, SEG=back))

    def _adc(self, back: int) -> SimpleNamespace:
        """The ADC event of a line, whose sample M/2 (M/2 - 1 if read backwards) is in the middle of the lobe."""
        lead = (self.samples + 1) * self.dwell_us // 2 - back * self.dwell_us
        delay = self.spacing_us // 2 - lead
        event: SimpleNamespace = pp.make_adc(self.samples, dwell=self.dwell_us * 1e-6, delay=delay * 1e-6)
        return event


@dataclass(frozen=True)
class TrainRequest:
    """What a train is to be: lines of `matrix` samples over a field of view [m], sampled on ramps or not."""

    fov: float
    matrix: int
    ramp_sampling: bool
    hardware: Hardware

    def train(self, spacing_us: int) -> EchoPlanarTrain:
        """The train of this echo spacing; `SequenceError` with the shortest one where the hardware cannot play it."""
        if planned := self._planned(spacing_us):
            return planned
        longer = range(spacing_us + RASTER_US, LONGEST_US, RASTER_US)
        found = bisect_left(longer, True, key=lambda spacing: self._planned(spacing) is not None)
        if found < len(longer):
            raise refusal("esp_ms", spacing_us / 1e3, self._why(spacing_us), longer[found] / 1e3)
        raise SequenceError(
            f"No echo spacing up to {LONGEST_US / 1e3:g} ms plays {self.matrix} samples over {self.fov * 1e3:g} mm "
            f"within max_grad_mt_m={self.hardware.max_grad_mt_m:g} and max_slew_t_m_s={self.hardware.max_slew_t_m_s:g}."
        )

    def _planned(self, spacing_us: int) -> EchoPlanarTrain | None:
        """The train of largest dwell time that the hardware can play, if any."""
        blip = shortest_lobe(1 / self.fov, self.hardware)
        room_us = spacing_us - 2 * max(blip.duration_us, ADC_DEAD_US)
        longest = room_us // (self.matrix + 1)
        for dwell_us in range(longest - longest % DWELL_RASTER_US, 0, -DWELL_RASTER_US):
            samples = (room_us // dwell_us - 1) // 4 * 4 if self.ramp_sampling else self.matrix
            if readout := self._lobe(spacing_us, samples, dwell_us):
                return EchoPlanarTrain(readout, blip, samples, dwell_us, self.matrix)
        return None

    def _lobe(self, spacing_us: int, samples: int, dwell_us: int) -> Lobe | None:
        """The lobe whose first sample is at -N/2/FOV, if it is within the hardware.

        With ramp sampling its ramps are as short, and so its amplitude as low, as the slew rate allows; without it they
        are as long as the samples allow.
        """
        sampled_us = 0 if self.ramp_sampling else samples * dwell_us
        rises = range(RASTER_US, (spacing_us - sampled_us) // 2 + 1, RASTER_US)
        amplitude = partial(self._amplitude, spacing_us, samples * dwell_us)
        gentle = bisect_left(rises, True, key=lambda rise: amplitude(rise) <= self.hardware.max_slew * rise)
        if gentle == len(rises):
            return None
        rise = rises[gentle] if self.ramp_sampling else rises[-1]
        strong = amplitude(rise) > self.hardware.max_grad
        sparse = amplitude(rise) * dwell_us * 1e-6 * self.fov > 1 + 1e-9
        flat = spacing_us - 2 * rise
        return None if strong or sparse else Lobe.of(amplitude(rise) * (rise + flat) * 1e-6, rise, flat)

    def _amplitude(self, spacing_us: int, sampled_us: int, rise_us: int) -> float:
        """Of a lobe of this duration and ramp that moves by N/2/FOV from its first sample to its middle [Hz/m]."""
        flat_us = spacing_us - 2 * rise_us
        onto_ramp = max(0.0, (sampled_us - flat_us) / 2)
        moment_us = sampled_us / 2 - onto_ramp**2 / (2 * rise_us)
        return self.matrix / 2 / self.fov / moment_us * 1e6

    def _why(self, spacing_us: int) -> str:
        """What stands in the way: the limit without which it would play, if one alone is enough."""
        way_out = "" if self.ramp_sampling else " without ramp_sampling=true"
        steep = replace(self.hardware, max_slew_t_m_s=1e6)
        strong = replace(self.hardware, max_grad_mt_m=1e5)
        slew = f"max_slew_t_m_s={self.hardware.max_slew_t_m_s:g}"
        grad = f"max_grad_mt_m={self.hardware.max_grad_mt_m:g}"
        reasons = {
            f"its lobes are too steep for {slew}{way_out}": steep,
            f"its lobes are too strong for {grad}{way_out}": strong,
            f"its lobes are beyond {slew} and {grad}{way_out}": replace(steep, max_grad_mt_m=1e5),
        }
        for reason, hardware in reasons.items():
            if replace(self, hardware=hardware)._planned(spacing_us):
                return reason
        return f"its samples would be closer than the raster of {DWELL_RASTER_US} us for dwell times allows"
