"""Gradients of pools with respect to the pulses and times of a sequence.

A program is that of the timeline with its changes already made, so that samplings and times are those of what is
played; here its numbers come again as tensors that carry gradients.  Pulses that changes tell apart are solved one by
one, which costs as many solutions as there are pulses; a single number for all keeps those of the file's events.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import SequenceError
from spinloom.physics.bloch_mcconnell import Layout, generator
from spinloom.physics.propagation import (
    Move,
    Propagators,
    beyond_budget,
    common_larmor,
    rotation,
    solve_again_for_gradients,
    solve_pulse,
)
from spinloom.physics.sampling import enough_cells, sample_pulse
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.atoms import PULSE, SAMPLE, atoms_of, spoiling_blocks
from spinloom.sequence.steps import Free, Pulse, Sample, StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue


@dataclass(frozen=True, eq=False)
class PoolChanges:
    """The numbers of a timeline's pulses and waits, with their gradients.

    timeline: with its changes made
    tangent: of scale, phase [rad] and frequency [Hz] of each pulse: numbers of value 0 that carry gradients, shape
        `(pulses,)` each
    amplitude: of each pulse in the file [Hz], shape `(pulses,)`
    each: whether changes tell pulses of one event apart
    longer: by how much the wait before each pulse and sample is, of value 0 [s]; None where no delay carries gradients
    """

    timeline: Timeline
    tangent: tuple[Tensor, Tensor, Tensor]
    amplitude: np.ndarray
    each: bool
    longer: Tensor | None

    @classmethod
    def of(cls, timeline: Timeline, changes: SequenceChanges, changed: Timeline) -> PoolChanges:
        """Of `changes`, that `checked` left for `timeline`, and the timeline with them, as it is played."""
        events = timeline.block_rf[timeline.block_rf >= 0]
        rf = changes.rf_scale, changes.rf_phase, changes.rf_offset
        scale, phase, offset = (_tangent(change, events.size) for change in rf)
        return cls(
            timeline=changed,
            tangent=(scale, phase, offset),
            amplitude=timeline.rf_table["amplitude"][events],
            each=any(isinstance(change, Tensor) and bool(change.ndim) for change in (rf[0], rf[2])),
            longer=_waits(changed, _tangent(changes.delay, len(timeline))) if _asks(changes.delay) else None,
        )

    def moves(
        self, program: StepProgram, propagators: Propagators, tissue: Tissue, cells: int | None
    ) -> Iterator[Move]:
        """The steps of `program`; propagators: of what carries no gradients."""
        solved: dict[Hashable, Tensor] = {}
        segments = self._segments(program)
        solve = solve_again_for_gradients if beyond_budget(tissue, segments, cells) else solve_pulse
        pulse, longer = 0, iter(() if self.longer is None else _longer(self.longer, tissue))
        for step in program.steps:
            if self.longer is not None and isinstance(step, Pulse | Sample):
                yield next(longer)
            match step:
                case Pulse(rf):
                    yield self._pulse(pulse, rf, tissue, cells, solve, solved)
                    pulse += 1
                case Free(duration):
                    yield propagators.delay(duration)
                case _:
                    yield step

    def _segments(self, program: StepProgram) -> list[int]:
        """Segments of each pulse that is solved for itself."""
        played = [step.rf for step in program.steps if isinstance(step, Pulse)]
        events = [self.timeline.rf[rf] for rf in (played if self.each else set(played))]
        return [self.timeline.waveforms[event.waveform].durations.size for event in events]

    def _pulse(
        self,
        pulse: int,
        rf: int,
        tissue: Tissue,
        cells: int | None,
        solve: Callable[..., Tensor],
        solved: dict[Hashable, Tensor],
    ) -> Tensor:
        """Propagator of pulse number `pulse`, which is event `rf` of the timeline."""
        event, larmor = self.timeline.rf[rf], common_larmor(tissue)
        waveform = self.timeline.waveforms[event.waveform]
        scale, phase, offset = (values.to(tissue.b0.device)[pulse] for values in self.tangent)
        frequency, turn = event.frequency(larmor) + offset, event.phase(larmor) + phase
        amplitude = float(self.amplitude[pulse])
        key = pulse if self.each else (event.waveform, amplitude, event.frequency_offset, event.frequency_ppm)
        if key not in solved:
            sampled = sample_pulse(waveform, enough_cells(cells, waveform.duration * abs(event.frequency(larmor))))
            nutation = event.amplitude + amplitude * scale
            solved[key] = solve(tissue, sampled, nutation, frequency)
        propagator = solved.pop(key) if self.each else solved[key]
        layout = Layout.of(tissue)
        turns = frequency * waveform.duration
        after = turn + 2 * math.pi * (turns - turns.detach().floor())
        return rotation(layout, after, propagator) @ propagator @ rotation(layout, -turn, propagator)


def _asks(change: Tensor | float | None) -> bool:
    return isinstance(change, Tensor) and change.requires_grad


def _tangent(change: Tensor | float | None, count: int) -> Tensor:
    """A change less its value, as `count` numbers."""
    if not isinstance(change, Tensor):
        return torch.zeros(count, dtype=torch.float64)
    return (change - change.detach()).expand(count)


def _waits(timeline: Timeline, later: Tensor) -> Tensor:
    """By how much longer the wait before each pulse and sample is [s]; later: what is added to each block."""
    atoms = atoms_of(timeline, spoiling_blocks(timeline))
    before = (later.cumsum(0) - later)[atoms.block[(atoms.kind == PULSE) | (atoms.kind == SAMPLE)]]
    return torch.cat([before[:1], before.diff()])


def _longer(waits: Tensor, tissue: Tissue) -> Iterator[Tensor]:
    """Propagators of waits of value 0: the series to second order, for first and second derivatives."""
    slope = generator(tissue, torch.zeros_like(tissue.b0))
    one, square = torch.eye(slope.shape[-1]).to(slope), slope @ slope / 2
    return (one + wait * slope + wait**2 * square for wait in waits.to(slope.device).unbind())


def refuse_scaled_gradients(changes: SequenceChanges) -> None:
    """Raise for gradients of another size, of which tissues without a place know only whether they spoil."""
    if changes.gradient_scale is not None and bool((torch.as_tensor(changes.gradient_scale) != 1).any()):
        raise SequenceError(
            "changes.gradient_scale is not 1, but a tissue without a place knows of gradients only that they spoil; "
            "leave it out, or play the sequence on a phantom."
        )
