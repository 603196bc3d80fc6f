"""What the blocks of a timeline do, one after the other, as columns of numbers: their pulses, samples and ends.

An atom is a pulse, a sample, the end of a measurement, spoiling, or the time that remains of a block.  Columns are
worked on as a whole: a train of pulses at hundreds of offsets has tens of thousands of blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.timeline import AdcEvent, Timeline

PULSE, FREE, SPOIL, SAMPLE, END = range(5)
"""Kinds of atoms and steps; as an atom, `FREE` is what remains of a block."""

SPOILING_MOMENT = 1000.0
"""A moment of one cycle a millimetre dephases any voxel of a millimetre or more [cycles/m]."""

MAX_SAMPLES = 1_000_000
"""More samples than this are refused: each is a step of its own here, and no study of tissue without place has more."""

_TOLERANCE = 1e-9
"""Times closer than this are the same [s]: the sums that they come from round."""

_BEFORE, _PULSE, _AFTER, _REST, _LAST = range(5)
"""Order within a block: samples before the pulse, the pulse, samples after it, what remains, end and spoiling."""


@dataclass(frozen=True, eq=False)
class Atoms:
    """What a timeline does in playing order, each column of shape `(atoms,)`.

    kind, index: what it is, and the number of the RF event or of the sample
    block: in which it lies
    begin, end: after the block's begin [s]
    """

    kind: np.ndarray
    index: np.ndarray
    block: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Time that passes between the atom before, or the block's begin, and this one [s]."""
        clock = np.concatenate([[0.0], self.end[:-1]])
        clock[np.diff(self.block, prepend=-1) != 0] = 0.0
        return np.maximum(self.begin - clock, 0.0)


def atoms_of(timeline: Timeline, spoils: np.ndarray) -> Atoms:
    """The atoms of a timeline; spoils: blocks that spoil, shape `(blocks,)`."""
    _refuse_oversized(timeline)
    blocks = np.arange(len(timeline))
    pulses, ends = np.flatnonzero(timeline.block_rf >= 0), np.flatnonzero(timeline.block_adc >= 0)
    sampled, times = _samples(timeline, ends)
    begin, end = _pulse_times(timeline)
    after = times > begin[sampled] + _TOLERANCE
    _refuse_samples_under_pulses(timeline, sampled[after], times[after], end)
    rest, last = timeline.block_duration, np.concatenate([ends, np.flatnonzero(spoils)])
    parts = (
        (SAMPLE, np.arange(times.size), sampled, times, times, np.where(after, _AFTER, _BEFORE)),
        (PULSE, timeline.block_rf[pulses], pulses, begin[pulses], end[pulses], _PULSE),
        (FREE, 0, blocks, rest, rest, _REST),
        (np.repeat([END, SPOIL], [ends.size, last.size - ends.size]), 0, last, rest[last], rest[last], _LAST),
    )
    kind, index, block, begins, finish, order = (
        np.concatenate([np.broadcast_to(part[column], part[2].shape) for part in parts]) for column in range(6)
    )
    playing = np.argsort((_LAST + 1) * block + order, kind="stable")
    return Atoms(kind[playing], index[playing], block[playing], begins[playing], finish[playing])


def spoiling_blocks(timeline: Timeline) -> np.ndarray:
    """Whether each block's gradients do nothing but dephase, shape `(blocks,)`."""
    alone = (timeline.block_rf < 0) & (timeline.block_adc < 0)
    with_gradient = np.flatnonzero(alone & (timeline.block_gradient >= 0).any(axis=0))
    events = timeline.block_gradient[:, with_gradient]
    strong = np.zeros(len(timeline.gradients) + 1, dtype=bool)  # the last one stands for -1, no gradient
    for event in np.unique(events[events >= 0]).tolist():
        strong[event] = abs(timeline.gradients[event].moment) >= SPOILING_MOMENT
    spoils = np.zeros(len(timeline), dtype=bool)
    spoils[with_gradient] = strong[events].any(axis=0)
    return spoils


def _refuse_oversized(timeline: Timeline) -> None:
    if timeline.adc_samples > MAX_SAMPLES:
        raise SequenceError(
            f"{timeline.source} takes {timeline.adc_samples:,} ADC samples; a tissue without place is sampled at most "
            f"{MAX_SAMPLES:,} times. Shorten its ADC events."
        )


def _pulse_times(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end of each block's pulse after the block's begin [s]; infinite where there is none."""
    lengths = np.array([waveform.duration for waveform in timeline.waveforms])
    begin = timeline.rf_table["delay"]
    end = begin + lengths[timeline.rf_table["waveform"]] if begin.size else begin
    return np.append(begin, np.inf)[timeline.block_rf], np.append(end, np.inf)[timeline.block_rf]


def _samples(timeline: Timeline, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Block of each sample, and when in it its magnetisation is recorded [s]; blocks: those with an ADC event."""
    events = timeline.block_adc[blocks].tolist()
    recorded = {event: _recorded_times(timeline.adcs[event]) for event in set(events)}
    times = [recorded[event] for event in events]
    return np.repeat(blocks, [each.size for each in times]), np.concatenate([np.zeros(0), *times])


def _recorded_times(adc: AdcEvent) -> np.ndarray:
    """Times after the block's begin at which magnetisation is recorded [s]."""
    return np.array([adc.delay]) if adc.samples == 1 else adc.sample_times()


def _refuse_samples_under_pulses(timeline: Timeline, blocks: np.ndarray, times: np.ndarray, end: np.ndarray) -> None:
    """Raise for the first of the samples, all after their pulse's begin, that comes before its end."""
    early = blocks[times < end[blocks] - _TOLERANCE]
    if early.size:
        raise SequenceError(
            f"{timeline.source}: block {early[0] + 1} in playing order samples while its RF pulse plays, which "
            "no simulator here can do; move the ADC event after the pulse."
        )
