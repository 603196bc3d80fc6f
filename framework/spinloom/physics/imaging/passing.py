"""What M+ passes between events, and what of it may wait: phases of gradients and pulses commute with precession."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spinloom.sequence.spatial_steps import (
    DIGITS,
    ReadStep,
    RestoreStep,
    RfStep,
    SpanStep,
    SpatialProgram,
)

Moment = tuple[float, float, float]
Key = tuple[float, Moment, float]

NO_MOMENT: Moment = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Passing:
    """Duration [s], moment [cycles/m] and turn [rad] that M+ passes at once."""

    time: float = 0.0
    moment: Moment = NO_MOMENT
    turn: float = 0.0

    @property
    def key(self) -> Key:
        """What tells passings apart: times to the picosecond, moments to 1e-7 cycles/m, turns less whole ones."""
        x, y, z = self.moment
        part = round(self.turn % (2 * np.pi), 12) % round(2 * np.pi, 12)
        return round(self.time, DIGITS) + 0.0, (round(x, 7) + 0.0, round(y, 7) + 0.0, round(z, 7) + 0.0), part

    @property
    def alone(self) -> Passing:
        """The time without moment and turn."""
        return Passing(self.time)

    @property
    def phase(self) -> Passing:
        """Moment and turn without the time."""
        return Passing(0.0, self.moment, self.turn)


NOTHING = Passing().key


@dataclass(frozen=True, slots=True)
class Stop:
    """An event, and what comes before it.

    passing: what M+ passes before the event
    recovery: for how long Mz has recovered at a pulse [s]
    due: moment and turn that the samples of a read still lack
    dark: whether there is no M+
    """

    step: RfStep | ReadStep | RestoreStep
    passing: Passing = Passing()
    recovery: float = 0.0
    due: Passing = Passing()
    dark: bool = False


def stops(program: SpatialProgram, defer: bool) -> Iterator[Stop]:
    """The events of a program; defer: whether moments wait for the next pulse instead of entering at each read."""
    time, moment, turn, recovery, dark = 0.0, np.zeros(3), 0.0, 0.0, True
    for step in program.steps:
        match step:
            case SpanStep():
                time, recovery = time + step.duration, recovery + step.duration
                moment = moment + np.array(step.moment)
            case RfStep():
                yield Stop(step, _passing(time, moment, turn + step.before), recovery, dark=dark)
                time, moment, turn, recovery, dark = 0.0, np.zeros(3), step.after, 0.0, False
            case ReadStep():
                due = _passing(0.0, moment if defer else np.zeros(3), turn)
                yield Stop(step, _passing(time, np.zeros(3) if defer else moment, 0.0), due=due, dark=dark)
                time, moment = 0.0, moment if defer else np.zeros(3)
            case RestoreStep():
                yield Stop(step)
                time, moment, turn, recovery, dark = 0.0, np.zeros(3), 0.0, 0.0, True


def _passing(time: float, moment: np.ndarray, turn: float) -> Passing:
    x, y, z = moment.tolist()
    return Passing(time, (x, y, z), turn)
