"""The moves of a sequence with changes, in numbers that carry their gradients.

    t_e = start of e's block + delays of the blocks before it + time of e in its block
    k_e = sum over the blocks b before it of A_b m_b + A_block m_e

with the gradient moments m of the file and A of `scaled_gradients`.  What passes between two events is the difference
of their t and of their k.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.changed_pulses import ChangedPulses, filled
from spinloom.physics.imaging.moves import Move, Passed, Received, Restored
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.scaled_gradients import ScaledGradients
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.event_places import EventPlaces, event_places
from spinloom.sequence.moments import whole_moments
from spinloom.sequence.spatial_steps import ReadStep, RfStep, SpatialProgram
from spinloom.sequence.timeline import Timeline


@dataclass(frozen=True, eq=False)
class ChangedProgram:
    """A program with changes.

    places: of the program's events
    pulses, gradients: with the changes
    time: of begin and end of each event from the start of the sequence [s], shape `(events, 2)`
    moment: of the gradients up to these times [cycles/m], shape `(events, 2, 3)`
    later: by how much each block begins later [s], shape `(blocks,)`
    """

    program: SpatialProgram
    places: EventPlaces
    pulses: ChangedPulses
    gradients: ScaledGradients
    time: Tensor
    moment: Tensor
    later: Tensor

    @classmethod
    def of(
        cls, timeline: Timeline, program: SpatialProgram, changes: SequenceChanges, device: torch.device
    ) -> ChangedProgram:
        """`program`, which `spatial_program` made of `timeline`, with changes that `checked` left on `device`."""
        places = event_places(timeline, program)
        gradients = ScaledGradients.of(timeline, changes.gradient_scale)
        later = _before(filled(changes.delay, 0.0, len(timeline), device))
        start = _tensor(timeline.block_start, device) + later
        gained = _before(gradients(_tensor(whole_moments(timeline), device), np.arange(len(timeline))))
        within = gradients(_tensor(places.moments, device), places.block)
        pulsed = places.block[[isinstance(step, RfStep) for step in places.steps]]
        return cls(
            program=program,
            places=places,
            pulses=ChangedPulses.of(program, changes, gradients, pulsed, device),
            gradients=gradients,
            time=start[places.block, None] + _tensor(places.times, device),
            moment=gained[places.block, None] + within,
            later=later,
        )

    def sample_times(self, timeline: Timeline) -> np.ndarray:
        """Time of each sample from the start [s], shape `(samples,)`."""
        sampled = np.flatnonzero(timeline.block_adc >= 0)
        found: np.ndarray = self.program.time + self.later.detach().cpu().numpy()[sampled][self.program.measurement]
        return found

    def moves(self, tables: list[PulseTable], spins: Spins) -> Iterator[Move]:
        """What `spins` meet."""
        times, moments = ([side.unbind() for side in values.unbind(1)] for values in (self.time, self.moment))
        time, moment = self.time.new_zeros(()), self.moment.new_zeros(3)
        pulses = self.pulses.moves(tables, spins)
        for event, step in enumerate(self.places.steps):
            if self.places.restored[event]:
                yield Restored()
            else:
                yield Passed(times[0][event] - time, moments[0][event] - moment)
            yield self._received(step, int(self.places.block[event])) if isinstance(step, ReadStep) else next(pulses)
            time, moment = times[1][event], moments[1][event]

    def _received(self, step: ReadStep, block: int) -> Received:
        moments = _tensor(self.program.readouts[step.readout].moments, self.time.device)
        return Received(step.readout, self.gradients(moments, block), anywhere=bool(self.gradients.turned[block]))


def _before(values: Tensor) -> Tensor:
    """Sum of all values before each, along the first axis."""
    return values.cumsum(0) - values


def _tensor(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device=device)
