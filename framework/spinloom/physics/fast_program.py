"""A step program in terms of what its steps have in common: distinct pulses, distinct delays, and turns between them.

A pulse of phase p and frequency f acts as Rz(p + 2 pi f T) U Rz(-p).  Free precession, relaxation and exchange commute
with a turn of all pools together, and so does spoiling; hence the turn after a pulse is put off until the next pulse,
where it joins the turn before that one, or the next sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinloom.physics.envelope import Envelope
from spinloom.physics.propagation import PulseKey, common_larmor
from spinloom.sequence.atoms import END, PULSE, SAMPLE
from spinloom.sequence.steps import StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue
from spinloom.units import PPM


@dataclass(frozen=True, eq=False)
class FastProgram:
    """A step program as the compiled loops take it.

    keys: distinct pulses, by waveform and by the size of their offset; durations: distinct delays [s]
    kind, index: of the steps, as in `StepProgram`, the index of a pulse being that of its key
    turn: before each pulse, or at each sample, counter-clockwise [rad]; 0 elsewhere
    samples: how many are recorded
    """

    timeline: Timeline
    keys: list[PulseKey]
    durations: np.ndarray
    kind: np.ndarray
    index: np.ndarray
    turn: np.ndarray
    samples: int

    @classmethod
    def of(cls, program: StepProgram, timeline: Timeline, tissue: Tissue) -> FastProgram:
        """Find the distinct pulses of `program`, at the Larmor frequency of `tissue`."""
        larmor, table = common_larmor(tissue), timeline.rf_table
        pulses = np.flatnonzero(program.kind == PULSE)
        played, event = np.unique(program.index[pulses], return_inverse=True)
        waveform, amplitude = table["waveform"][played], table["amplitude"][played]
        frequency = table["frequency_offset"][played] + table["frequency_ppm"][played] * PPM * larmor
        phase = table["phase_offset"][played] + table["phase_ppm"][played] * PPM * larmor
        index = program.index.copy()
        first, key = _distinct(waveform, np.abs(frequency), frequency, amplitude)
        index[pulses] = key[event]
        lengths = np.array([form.duration for form in timeline.waveforms])
        after = phase + 2 * math.pi * ((frequency * lengths[waveform]) % 1.0) if played.size else phase
        keys = [PulseKey(int(waveform[n]), float(amplitude[n]), float(frequency[n])) for n in first]
        turn = _turns(program.kind, pulses, -phase[event], after[event])
        return cls(timeline, keys, program.durations, program.kind, index, turn, program.time.size)

    @cached_property
    def by_envelope(self) -> tuple[tuple[Envelope, slice], ...]:
        """Every envelope that is played, and the place of its keys."""
        waveform = np.array([key.waveform for key in self.keys], dtype=np.int64)
        played, first, count = np.unique(waveform, return_index=True, return_counts=True)
        return tuple(
            (Envelope(self.timeline.waveforms[number]), slice(begin, begin + keys))
            for number, begin, keys in zip(played.tolist(), first.tolist(), count.tolist(), strict=True)
        )

    @property
    def longest_train(self) -> int:
        """Most pulses of a measurement, at least one."""
        measurement = np.cumsum(self.kind == END)[self.kind == PULSE]
        return max(1, int(np.bincount(measurement).max(initial=0)))


def _distinct(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First row of each distinct one, sorted by the columns, and the number of that of each row."""
    order = np.lexsort(columns[::-1])
    begins = np.ones(order.size, dtype=bool)
    begins[1:] = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    number = np.empty(order.size, dtype=np.int64)
    number[order] = np.cumsum(begins) - 1
    return order[begins], number


def _turns(kind: np.ndarray, pulses: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What the magnetisation is turned by at each step; before, after: of each of the `pulses`."""
    turn = np.zeros(kind.size)
    left = np.concatenate([[0.0], after])
    turn[pulses] = before + left[:-1]
    samples = np.flatnonzero(kind == SAMPLE)
    turn[samples] = left[np.searchsorted(pulses, samples)]
    return turn
