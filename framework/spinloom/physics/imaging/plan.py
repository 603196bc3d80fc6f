"""A spatial program as the loops of `tile_kernel` take it: operations, and the distinct numbers that they refer to.

Where few distinct spans occur (an EPI train), M+ takes the moment of a span at once.  Where many do (an FSE, whose
phase encoding differs for each echo), moments wait until the next pulse, and a read takes what is due as phases of rows
and columns.  What occurs often gets a table of isochromats; what occurs rarely is worked out when its turn comes.  A
pulse that comes often between the same spans becomes one map with them.  Magnetisation along z is needed at pulses
alone and
recovers once before each.

Operations (kind, a, b, c):
    RESTORE                Mz = M0, M+ = 0
    ADVANCE factor         M+ times a table               FREE time       M+ precesses and decays, worked out
    PHASE phase            M+ turns by a moment           RELAX, RECOVER  Mz recovers, by a table or worked out
    EXCITE pulse           the map of a pulse where there is no M+
    MAP map                the map of a pulse with spans around it
    READ slot phase factor     sums over rows, after the table `factor` where it is not -1
    SAMPLE readout sample phase    sums over all isochromats at each sample
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from spinloom.physics.imaging.passing import NOTHING, Passing, Stop, stops
from spinloom.sequence.spatial_steps import DIGITS, ReadStep, RestoreStep, RfStep, SpatialProgram

RESTORE, ADVANCE, FREE, PHASE, RELAX, RECOVER, EXCITE, MAP, READ, SAMPLE = range(10)

MOST_FACTORS = 24
"""Distinct spans with their moments up to which moments are taken at once."""

OFTEN = 3
"""Occurrences from which a table pays."""

MOST_MAPS = 8
"""Maps with spans that are held at once."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Operations `(n, 4)`, and what they refer to.

    factors: time [s] and phase of ADVANCE, of reads and of maps; a phase of -1 is none
    times: of FREE and RECOVER [s]
    recoveries: durations of RELAX and of maps [s]
    maps: pulse, recovery, and factor before and after, -1 where there is none, `(maps, 4)`
    phases: moment [cycles/m] and turn [rad], `(phases, 4)`; reads take the moment alone
    readouts, turns: readout of each slot, and the turn that its samples lack [rad]
    first_samples, sample_turns: of the readouts that SAMPLE takes, in order, the first sample and the turn
    """

    operations: np.ndarray
    factors: list[tuple[float, int]]
    times: list[float]
    recoveries: list[float]
    maps: np.ndarray
    phases: np.ndarray
    readouts: np.ndarray
    first_samples: np.ndarray
    turns: np.ndarray
    sampled: np.ndarray
    sampled_first: np.ndarray
    sampled_turns: np.ndarray


@dataclass
class _Numbers:
    """Distinct values in the order in which they came; those with one key are one, and the first stands for all."""

    numbers: dict[object, int] = field(default_factory=dict)
    values: list = field(default_factory=list)

    def of(self, value: object, key: object = None) -> int:
        """Number of `value`, told apart by `key`, by itself if there is none."""
        number = self.numbers.setdefault(value if key is None else key, len(self.numbers))
        if number == len(self.values):
            self.values.append(value)
        return number


def plan(program: SpatialProgram, lines: Sequence[bool]) -> Plan:
    """Compile a program; lines: which readouts are lines, whose samples come from sums over rows."""
    found = list(stops(program, defer=False))
    if len({stop.passing.key for stop in found if not stop.dark}) > MOST_FACTORS:
        found = list(stops(program, defer=True))
    return _Compiler(found, lines).plan()


class _Compiler:
    """Walks through the stops once and writes operations."""

    def __init__(self, found: list[Stop], lines: Sequence[bool]) -> None:
        self._stops, self._lines = found, lines
        self._operations: list[tuple[int, int, int, int]] = []
        self._factors, self._times, self._recoveries = _Numbers(), _Numbers(), _Numbers()
        self._maps, self._phases = _Numbers(), _Numbers()
        self._slots: list[tuple[int, int, float]] = []
        self._sampled: list[tuple[int, int, float]] = []
        passings = Counter(stop.passing.key for stop in found if not stop.dark)
        self._often = {key for key, count in passings.items() if count >= OFTEN}
        rare = [stop for stop in found if not stop.dark and stop.passing.key not in self._often]
        times = Counter(stop.passing.alone.key for stop in rare)
        self._often |= {key for key, count in times.items() if count >= OFTEN}
        waits = Counter(round(stop.recovery, DIGITS) for stop in found)
        self._often_waited = {wait for wait, count in waits.items() if count >= OFTEN}
        pairs = Counter(_around(stop, after) for stop, after in pairwise(found) if _one_map(stop, after))
        self._joined = {key for key, count in pairs.most_common(MOST_MAPS) if count >= OFTEN}

    def plan(self) -> Plan:
        taken = False
        for place, stop in enumerate(self._stops):
            after = self._stops[place + 1] if place + 1 < len(self._stops) else None
            match stop.step:
                case RestoreStep():
                    self._emit(RESTORE)
                case ReadStep():
                    self._read(stop, taken)
                case RfStep():
                    joined = after is not None and _one_map(stop, after) and _around(stop, after) in self._joined
                    self._pulse(stop, after if joined else None)
                    taken = joined
                    continue
            taken = False
        slots, sampled = (np.array(rows, dtype=np.float64).reshape(-1, 3).T for rows in (self._slots, self._sampled))
        return Plan(
            operations=np.array(self._operations, dtype=np.int64).reshape(-1, 4),
            factors=self._factors.values,
            times=self._times.values,
            recoveries=self._recoveries.values,
            maps=np.array(self._maps.values, dtype=np.int64).reshape(-1, 4),
            phases=np.array(self._phases.values, dtype=np.float64).reshape(-1, 4),
            readouts=slots[0].astype(np.int64),
            first_samples=slots[1].astype(np.int64),
            turns=slots[2],
            sampled=sampled[0].astype(np.int64),
            sampled_first=sampled[1].astype(np.int64),
            sampled_turns=sampled[2],
        )

    def _emit(self, kind: int, a: int = -1, b: int = -1, c: int = -1) -> None:
        self._operations.append((kind, a, b, c))

    def _pulse(self, stop: Stop, read: Stop | None) -> None:
        assert isinstance(stop.step, RfStep)
        pulse = stop.step.pulse
        if read is not None:
            recovery = self._recoveries.of(round(stop.recovery, DIGITS)) if stop.recovery else -1
            around = self._factor(stop.passing), self._factor(read.passing)
            self._emit(MAP, self._maps.of((pulse, recovery, *around)))
            return
        if stop.recovery:
            wait = round(stop.recovery, DIGITS)
            often = wait in self._often_waited
            self._emit(RELAX if often else RECOVER, (self._recoveries if often else self._times).of(wait))
        if stop.dark:
            self._emit(EXCITE, pulse)
        else:
            self._advance(stop.passing)
            self._emit(MAP, self._maps.of((pulse, -1, -1, -1)))

    def _read(self, stop: Stop, taken: bool) -> None:
        assert isinstance(stop.step, ReadStep)
        readout, first = stop.step.readout, stop.step.sample
        line = self._lines[readout]
        phase = self._phase(Passing(0.0, stop.due.moment))
        joined = line and phase < 0 and not taken and stop.passing.key in self._often
        if not (taken or joined or stop.dark):
            self._advance(stop.passing)
        rows = self._slots if line else self._sampled
        if not stop.dark and line:
            self._emit(READ, len(rows), phase, self._factor(stop.passing) if joined else -1)
        elif not stop.dark:
            self._emit(SAMPLE, readout, first, phase)
        rows.append((readout, first, stop.due.turn))

    def _advance(self, passing: Passing) -> None:
        if passing.key == NOTHING:
            return
        if passing.key in self._often:
            self._emit(ADVANCE, self._factor(passing))
            return
        alone = passing.alone
        if alone.key in self._often:
            self._emit(ADVANCE, self._factor(alone))
        elif alone.key != NOTHING:
            self._emit(FREE, self._times.of(passing.time, round(passing.time, DIGITS)))
        if passing.phase.key != NOTHING:
            self._emit(PHASE, self._phase(passing.phase))

    def _factor(self, passing: Passing) -> int:
        """Number of the table of `passing`, -1 where nothing passes."""
        if passing.key == NOTHING:
            return -1
        return self._factors.of((passing.time, self._phase(passing.phase)), passing.key)

    def _phase(self, passing: Passing) -> int:
        """Number of the phases of `passing`, -1 where there are none."""
        if passing.key == NOTHING:
            return -1
        return self._phases.of((*passing.moment, passing.turn), passing.key)


def _one_map(stop: Stop, after: Stop) -> bool:
    """Whether a pulse and the precession to the read after it can be one map."""
    return isinstance(stop.step, RfStep) and not stop.dark and isinstance(after.step, ReadStep)


def _around(stop: Stop, after: Stop) -> object:
    assert isinstance(stop.step, RfStep)
    return stop.step.pulse, round(stop.recovery, DIGITS), stop.passing.key, after.passing.key
