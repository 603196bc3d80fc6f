"""A spatial program as the loops of `column_kernels` take it: operations, and the distinct numbers that they refer to.

Phases of gradients and of pulses commute with precession, so that they may wait: an operation either multiplies M+ by
the whole factor of a span, where few distinct spans occur (an EPI train), or by its decay alone, while the moment is
kept in mind and enters the next read as phases of rows and columns (an FSE, whose phase encoding differs for each
echo).  Magnetisation along z is needed at pulses alone and recovers once before each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spinloom.physics.imaging.column_kernels import ADVANCE, PHASE, PULSE, READ, RELAX, RESTORE
from spinloom.physics.imaging.readouts import Interpolation
from spinloom.sequence.spatial_steps import (
    DIGITS,
    ReadStep,
    RestoreStep,
    RfStep,
    SpanStep,
    SpatialProgram,
)

MOST_TURNS = 24
"""Distinct whole factors that are worth a table of isochromats each."""

Factor = tuple[float, tuple[float, float, float], float]
"""Duration [s], moment [cycles/m] and turn [rad] that M+ passes at once."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Operations `(kinds, firsts, seconds)` of the kernel, and what they refer to.

    factors: of ADVANCE
    recoveries: durations of RELAX [s]
    phases: moment and turn of PHASE, and of reads that have one, `(phases, 4)`
    reads: for each slot the readout, and moment and turn that its sums still lack, `(slots, 4)`
    sets: for each distinct set of node times its times [s] after the first
    """

    kinds: np.ndarray
    firsts: np.ndarray
    seconds: np.ndarray
    factors: list[Factor]
    recoveries: list[float]
    phases: np.ndarray
    readouts: np.ndarray
    missing: np.ndarray
    sets: list[tuple[float, ...]]
    set_of: np.ndarray


@dataclass
class _Numbering:
    """Distinct values in the order in which they came; those with one key are one, and the first stands for all."""

    numbers: dict[object, int] = field(default_factory=dict)
    values: list[object] = field(default_factory=list)

    def of(self, value: object, key: object = None) -> int:
        """Number of `value`, told apart by `key`, by itself if there is none."""
        number = self.numbers.setdefault(value if key is None else key, len(self.numbers))
        if number == len(self.values):
            self.values.append(value)
        return number


def plan(program: SpatialProgram, interpolations: list[Interpolation]) -> Plan:
    """Compile a program whose readouts are all lines."""
    whole = _Compiler(program, interpolations, defer=False).compiled()
    if whole is not None:
        return whole
    deferred = _Compiler(program, interpolations, defer=True).compiled()
    assert deferred is not None
    return deferred


class _Compiler:
    """Walks through the steps once, keeping in mind what M+ still lacks.

    defer: whether moments wait until the next pulse instead of entering at each read
    """

    def __init__(self, program: SpatialProgram, interpolations: list[Interpolation], defer: bool) -> None:
        self._program, self._defer = program, defer
        self._first_nodes = [float(found.nodes[0]) for found in interpolations]
        self._sets = _Numbering()
        self._set_of = np.array(
            [self._sets.of(tuple(np.round(found.nodes - found.nodes[0], DIGITS))) for found in interpolations] or [],
            dtype=np.int64,
        )
        self._operations: list[tuple[int, int, int]] = []
        self._factors, self._recoveries, self._phases = _Numbering(), _Numbering(), _Numbering()
        self._missing: list[tuple[float, float, float, float]] = []
        self._readouts: list[int] = []
        self._time, self._moment, self._turn, self._recovery = 0.0, np.zeros(3), 0.0, 0.0

    def compiled(self) -> Plan | None:
        """The plan, or None where it would take too many distinct factors."""
        for step in self._program.steps:
            match step:
                case SpanStep(duration, moment):
                    self._time += duration
                    self._recovery += duration
                    self._moment = self._moment + np.array(moment)
                case RfStep():
                    self._pulse(step)
                case ReadStep(readout, _):
                    self._read(readout)
                case RestoreStep():
                    self._emit(RESTORE)
                    self._time, self._moment, self._turn, self._recovery = 0.0, np.zeros(3), 0.0, 0.0
            if not self._defer and len(self._factors.numbers) > MOST_TURNS:
                return None
        kinds, firsts, seconds = (np.array(column, dtype=np.int64) for column in zip(*self._operations, strict=True))
        factors: list[Factor] = self._factors.values  # type: ignore[assignment]
        recoveries: list[float] = self._recoveries.values  # type: ignore[assignment]
        sets: list[tuple[float, ...]] = self._sets.values  # type: ignore[assignment]
        return Plan(
            kinds=kinds,
            firsts=firsts,
            seconds=seconds,
            factors=factors,
            recoveries=recoveries,
            phases=np.array(self._phases.values, dtype=np.float64).reshape(-1, 4),
            readouts=np.array(self._readouts, dtype=np.int64),
            missing=np.array(self._missing, dtype=np.float64).reshape(-1, 4),
            sets=sets,
            set_of=self._set_of,
        )

    def _emit(self, kind: int, first: int = 0, second: int = 0) -> None:
        self._operations.append((kind, first, second))

    def _pulse(self, step: RfStep) -> None:
        if self._recovery:
            self._emit(RELAX, self._recoveries.of(round(self._recovery, DIGITS)))
        whole = self._factor(self._moment, self._turn + step.before)
        if self._defer and _key(whole) not in self._factors.numbers and len(self._factors.numbers) >= MOST_TURNS:
            self._advance(self._factor(np.zeros(3), 0.0))
            self._emit(PHASE, self._phases.of((*whole[1], whole[2])))
        else:
            self._advance(whole)
        self._emit(PULSE, step.pulse)
        self._time, self._moment, self._turn, self._recovery = 0.0, np.zeros(3), step.after, 0.0

    def _read(self, readout: int) -> None:
        self._time += self._first_nodes[readout]
        if self._defer:
            self._advance(self._factor(np.zeros(3), 0.0))
            x, y, z = self._moment.tolist()
            lacking = (x, y, z, self._turn)
            phase = self._phases.of(lacking, _key((0.0, (x, y, z), self._turn))) if self._moment.any() else -1
        else:
            self._advance(self._factor(self._moment, 0.0))
            self._moment = np.zeros(3)
            lacking, phase = (0.0, 0.0, 0.0, self._turn), -1
        self._emit(READ, phase, len(self._readouts) * len(self._sets.numbers) + int(self._set_of[readout]))
        self._readouts.append(readout)
        self._missing.append(lacking)
        self._time = -self._first_nodes[readout]

    def _factor(self, moment: np.ndarray, turn: float) -> Factor:
        x, y, z = moment.tolist()
        return self._time, (x, y, z), turn

    def _advance(self, factor: Factor) -> None:
        self._time = 0.0
        if _key(factor) != _key((0.0, (0.0, 0.0, 0.0), 0.0)):
            self._emit(ADVANCE, self._factors.of(factor, _key(factor)))


def _key(factor: Factor) -> Factor:
    """What tells factors apart: times to the picosecond, moments to 1e-7 cycles/m, turns less whole ones."""
    time, (x, y, z), turn = factor
    part = round(turn % (2 * np.pi), 12) % round(2 * np.pi, 12)
    return round(time, DIGITS) + 0.0, (round(x, 7) + 0.0, round(y, 7) + 0.0, round(z, 7) + 0.0), part
