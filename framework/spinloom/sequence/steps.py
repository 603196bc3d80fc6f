"""The order in which spins without a place meet a timeline: pulses, free precession, spoiling, samples.

A voxel that is not resolved in space knows a gradient only by what it does to transverse magnetisation.  A block
with a gradient but neither RF nor ADC whose moment exceeds `SPOILING_MOMENT` on some axis spoils: it is taken to
dephase all transverse magnetisation (ideal spoiling).  Any other gradient would only encode position and is
passed over; `StepProgram.notes` says both, so that nothing in the file is ignored silently.

An ADC event of one sample is no readout but a marker (a pseudo-ADC): its magnetisation is that at its begin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinloom.sequence.atoms import END, FREE, PULSE, SAMPLE, SPOIL, Atoms, atoms_of, spoiling_blocks
from spinloom.sequence.frozen import freeze
from spinloom.sequence.timeline import SoftDelay, Timeline, Trigger
from spinloom.sequence.transmit import refuse_rf_shims


@dataclass(frozen=True)
class Pulse:
    """Play RF event `rf` (index into `Timeline.rf`), from its own first sample to its last."""

    rf: int


@dataclass(frozen=True)
class Free:
    """Precess freely in the Larmor frame for `duration` [s]."""

    duration: float


@dataclass(frozen=True)
class Spoil:
    """Lose all transverse magnetisation."""


@dataclass(frozen=True)
class Sample:
    """Record the magnetisation as sample `index` of the signal."""

    index: int


@dataclass(frozen=True)
class MeasurementEnd:
    """The last sample of an ADC event has been taken."""


Step = Pulse | Free | Spoil | Sample | MeasurementEnd


@dataclass(frozen=True, eq=False)
class StepProgram:
    """A timeline as steps, with the samples that they record.

    kind: `PULSE`, `FREE`, `SPOIL`, `SAMPLE` or `END` of each step (`spinloom.sequence.atoms`), shape `(steps,)`
    index: of the RF event, of the duration or of the sample; 0 for the rest
    durations: distinct lengths of free precession, rising [s]
    time: of each sample [s], shape `(samples,)`
    measurement: ADC event of each sample, counted from 0, shape `(samples,)`
    notes: sentences on what was idealised or passed over
    """

    kind: np.ndarray
    index: np.ndarray
    durations: np.ndarray
    time: np.ndarray
    measurement: np.ndarray
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self.kind, self.index, self.durations, self.time, self.measurement)

    @property
    def measurement_of(self) -> np.ndarray:
        """Measurement of each step, shape `(steps,)`; steps after the last one have a number of their own."""
        return np.cumsum(self.kind == END) - (self.kind == END)

    def only(self, measurements: np.ndarray) -> StepProgram:
        """The steps and samples of some measurements, as if there were no others."""
        kept, sampled = np.isin(self.measurement_of, measurements), np.isin(self.measurement, measurements)
        kind, index = self.kind[kept], self.index[kept]
        index[kind == SAMPLE] = np.arange(sampled.sum())
        waits, index[kind == FREE] = np.unique(index[kind == FREE], return_inverse=True)
        numbers = np.searchsorted(np.unique(measurements), self.measurement[sampled])
        return StepProgram(kind, index, self.durations[waits], self.time[sampled], numbers, self.notes)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps one after the other, for who reads or plays them singly."""
        durations = self.durations.tolist()
        build: dict[int, Callable[[int], Step]] = {
            PULSE: Pulse,
            FREE: lambda index: Free(durations[index]),
            SPOIL: lambda _: Spoil(),
            SAMPLE: Sample,
            END: lambda _: MeasurementEnd(),
        }
        return tuple(build[kind](index) for kind, index in zip(self.kind.tolist(), self.index.tolist(), strict=True))


def step_program(timeline: Timeline) -> StepProgram:
    """Lower a timeline to the steps that a batch of tissues plays.

    Raises `SequenceError` for samples under a pulse and for RF shims.
    """
    refuse_rf_shims(timeline)
    spoils = spoiling_blocks(timeline)
    atoms = atoms_of(timeline, spoils)
    kind, index, durations = _steps(atoms)
    sampled = atoms.kind == SAMPLE
    return StepProgram(
        kind=kind,
        index=index,
        durations=durations,
        time=timeline.block_start[atoms.block[sampled]] + atoms.begin[sampled],
        measurement=np.cumsum(atoms.kind == END)[sampled],
        notes=_notes(timeline, spoils),
    )


def _steps(atoms: Atoms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kind and index of every step, and the distinct durations of the free precession between atoms [s].

    The time that passes before a pulse or a sample is one step, whichever blocks it comes from.
    """
    waits, places = np.zeros(atoms.kind.size), np.flatnonzero((atoms.kind == PULSE) | (atoms.kind == SAMPLE))
    if places.size:
        starts = np.concatenate([[0], places[:-1] + 1])
        waits[places] = np.round(np.add.reduceat(atoms.gap[: places[-1] + 1], starts), 12)
    kept = atoms.kind != FREE
    waits, waiting = waits[kept], waits[kept] > 0
    place = np.cumsum(1 + waiting) - 1
    kind, index = np.full(waits.size + waiting.sum(), FREE), np.zeros(waits.size + waiting.sum(), dtype=np.int64)
    kind[place], index[place] = atoms.kind[kept], atoms.index[kept]
    durations = np.unique(waits[waiting])
    index[place[waiting] - 1] = np.searchsorted(durations, waits[waiting])
    return kind, index, durations


def _notes(timeline: Timeline, spoils: np.ndarray) -> tuple[str, ...]:
    notes = []
    spoiled = int(spoils.sum())
    passed_over = int((timeline.block_gradient >= 0).any(axis=0).sum()) - spoiled
    if spoiled:
        notes.append(f"Spoiling is ideal: {spoiled} gradient blocks remove all transverse magnetisation.")
    if passed_over:
        notes.append(
            f"Gradients of {passed_over} blocks encode position, which a tissue without place has not; "
            "they are passed over."
        )
    played = np.unique(timeline.block_extension[timeline.block_extension >= 0]).tolist()
    items = [item for index in played for item in timeline.extensions[index]]
    if any(isinstance(item, Trigger) for item in items):
        notes.append("Triggers are taken to fire at once.")
    if any(isinstance(item, SoftDelay) for item in items):
        notes.append("Soft delays last as long as their blocks.")
    return tuple(notes)
