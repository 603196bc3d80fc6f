"""How tests of families follow magnetisation through a file: moments of pathways, from the gradients as read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

import spinloom
from spinloom.sequence.timeline import AXES, Timeline


@dataclass(frozen=True)
class Walk:
    """A timeline and what plays when.

    time, line, index: of every ADC sample [s], its label LIN, and its number in its readout, shape `(samples,)`
    """

    timeline: Timeline
    time: np.ndarray
    line: np.ndarray
    index: np.ndarray

    def pulses(self, use: str) -> np.ndarray:
        """Middles of the pulses of one use [s]."""
        middles = []
        for block in self.timeline.blocks():
            if block.rf is not None and block.rf.use == use:
                half = self.timeline.waveforms[block.rf.waveform].duration / 2
                middles.append(block.start + block.rf.delay + half)
        return np.array(middles)

    def moment(self, times: np.ndarray) -> np.ndarray:
        """Gradient moment since the begin of the file [cycles/m], shape `(times, 3)`."""
        times = np.atleast_1d(times)
        numbers = np.searchsorted(self.timeline.block_start, times, side="right") - 1
        total = self._before[numbers]
        for number in np.unique(numbers):
            block, inside = self.timeline.block(number), numbers == number
            for axis, gradient in block.gradients.items():
                total[inside, AXES.index(axis)] += gradient.moment_at(times[inside] - block.start)
        return total

    @cached_property
    def _before(self) -> np.ndarray:
        """Moment before each block, shape `(blocks, 3)`."""
        whole = np.array([*(gradient.moment for gradient in self.timeline.gradients), 0.0])
        blocks = whole[self.timeline.block_gradient].T
        return np.cumsum(blocks, axis=0) - blocks

    def pathway(self, excited: float, refocused: Sequence[float], times: np.ndarray) -> np.ndarray:
        """Moment at `times` of magnetisation excited at one time and turned over at others, shape `(times, 3)`."""
        carried, begin = np.zeros(3), excited
        for turn in refocused:
            carried = -(carried + self.moment(turn)[0] - self.moment(begin)[0])
            begin = turn
        return carried + self.moment(times) - self.moment(begin)[0]


@pytest.fixture(scope="session")
def walk() -> Callable[[str], Walk]:
    """The walk through the sequence of an expression, each built once."""
    known: dict[str, Walk] = {}

    def look_up(expression: str) -> Walk:
        if expression not in known:
            known[expression] = _walk(spinloom.read_sequence(expression))
        return known[expression]

    return look_up


def _walk(timeline: Timeline) -> Walk:
    time, line, index = [], [], []
    for block in timeline.blocks():
        if block.adc is not None:
            (label,) = (item.value for item in block.extensions if item.name == "LIN")
            time.append(block.start + block.adc.sample_times())
            line.append(np.full(block.adc.samples, label))
            index.append(np.arange(block.adc.samples))
    return Walk(timeline, *map(np.concatenate, (time, line, index)))
