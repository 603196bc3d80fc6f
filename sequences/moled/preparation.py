"""What stands before the train of MOLED: excitations, each with its shift gradient, and the refocusing pulse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pypulseq as pp

from spinloom.sequence.design import Hardware, Lobe, Pulse, lobes_together, shortest_lobe


@dataclass(frozen=True)
class Preparation:
    """Everything before the train: excitations, shift gradients, refocusing.

    shifts: moment of each shift gradient along x and y [cycles/m]
    crusher: moment on each axis before and after the refocusing pulse [cycles/m]
    lead_us: from each excitation to the refocusing pulse
    """

    excitation: Pulse
    refocusing: Pulse
    shifts: tuple[tuple[float, float], ...]
    crusher: dict[str, float]
    lead_us: tuple[int, ...]
    hardware: Hardware

    @property
    def shift(self) -> Lobe:
        """Timing of the blocks of the shift gradients, which rephase the slice as well."""
        return shortest_lobe(max(*(abs(m) for pair in self.shifts for m in pair), self.balance), self.hardware)

    @property
    def crush(self) -> Lobe:
        """Timing of the crushers."""
        return shortest_lobe(max(map(abs, self.crusher.values())), self.hardware)

    @property
    def balance(self) -> float:
        """Moment along z before and after an excitation that leaves earlier magnetisation as it was [cycles/m]."""
        return self.excitation.half_area

    @property
    def between_us(self) -> int:
        """From excitation to excitation, at the least."""
        balanced = shortest_lobe(self.balance, self.hardware).duration_us if self.balance else 0
        return self.excitation.after_us + self.shift.duration_us + balanced + self.excitation.before_us

    @property
    def last_us(self) -> int:
        """From the last excitation to the refocusing pulse, at the least."""
        gradients = self.shift.duration_us + self.crush.duration_us
        return self.excitation.after_us + gradients + self.refocusing.before_us

    def add(self, sequence: pp.Sequence) -> None:
        """Play it up to the end of the refocusing pulse."""
        balance = shortest_lobe(self.balance, self.hardware)
        waits = [here - after for here, after in pairwise(self.lead_us)]
        slacks = [*(wait - self.between_us for wait in waits), self.lead_us[-1] - self.last_us]
        for number, ((x, y), slack) in enumerate(zip(self.shifts, slacks, strict=True)):
            if number > 0 and self.balance:
                sequence.add_block(*lobes_together(balance, {"z": -self.balance}, balance.duration_us))
            sequence.add_block(*self.excitation.events())
            moments = {"x": x, "y": y, "z": -self.balance}
            sequence.add_block(*lobes_together(self.shift, moments, self.shift.duration_us + slack))
        sequence.add_block(*lobes_together(self.crush, self.crusher, self.crush.duration_us))
        sequence.add_block(*self.refocusing.events())
