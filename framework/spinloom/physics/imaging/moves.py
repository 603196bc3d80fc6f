"""What isochromats meet, one after the other, in numbers that may carry gradients; and the moves of a file as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import ReadStep, RestoreStep, RfStep, SpanStep, SpatialProgram

Number = Tensor | float


@dataclass(frozen=True, eq=False)
class Pulsed:
    """A pulse: what makes its map (rows of `PulseTable`), and the turns of M+ before and after it [rad].

    anew: whether the map is made again when gradients are taken, instead of being kept
    """

    rows: Callable[[], Tensor]
    before: Number
    after: Number
    anew: bool = False


@dataclass(frozen=True, eq=False)
class Passed:
    """Time [s] and gradient moment [cycles/m] `(3,)` that pass."""

    duration: Number
    moment: Tensor


@dataclass(frozen=True, eq=False)
class Received:
    """The samples of a readout, and the moments from its middle to each of them [cycles/m], shape `(samples, 3)`.

    anywhere: whether the moments may have a part along every axis, where the readout of the file has none
    """

    readout: int
    moments: Tensor
    anywhere: bool = False


@dataclass(frozen=True, eq=False)
class Restored:
    """Equilibrium."""


Move = Pulsed | Passed | Received | Restored
Moves = Callable[[Spins], Iterator[Move]]


def file_moves(program: SpatialProgram, tables: list[PulseTable], spins: Spins) -> Iterator[Move]:
    """The moves of a file as it is; the map of each distinct pulse is made once."""
    maps = [table(spins) for table in tables]
    moments = [torch.tensor(readout.moments, device=spins.m0.device) for readout in program.readouts]
    for step in program.steps:
        match step:
            case RfStep(pulse, before, after):
                yield Pulsed(partial(maps.__getitem__, pulse), before, after)
            case SpanStep(duration, moment):
                yield Passed(duration, torch.tensor(moment, dtype=torch.float64))
            case ReadStep(readout, _):
                yield Received(readout, moments[readout])
            case RestoreStep():
                yield Restored()
