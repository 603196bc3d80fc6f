"""Pulses with another amplitude, frequency or gradient, by the tables of those of the file.

Such a pulse does to a spin what the pulse of the file does to one of other B1+, off-resonance and place:

    B1+ -> rf_scale B1+,   b0 -> b0 - rf_offset,   r -> A r

(`scaled_gradients`), so that pulses that differ by changes alone share a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.moves import Pulsed
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.ranges import range_of
from spinloom.physics.imaging.scaled_gradients import ScaledGradients
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.spatial_steps import RfStep, SpatialProgram

WIDER_B1, WIDER_B0 = 1e-3, 1.0
"""By how much the ranges of a table reach beyond the numbers of the spins, to hold slopes [1, Hz]."""

GRADIENT_BUDGET = 2**30
"""Bytes that gradients may keep of maps; beyond, maps are made again when gradients are taken."""


@dataclass(frozen=True, eq=False)
class ChangedPulses:
    """The pulses of a program in playing order.

    steps, blocks: of each pulse
    scale, phase, offset: of each, float64, shape `(pulses,)`
    gradients: what the changes make of gradients
    apart: whether the changes tell pulses of one table apart, by table
    """

    program: SpatialProgram
    steps: tuple[RfStep, ...]
    blocks: np.ndarray
    scale: Tensor
    phase: Tensor
    offset: Tensor
    gradients: ScaledGradients
    apart: tuple[bool, ...]

    @classmethod
    def of(
        cls,
        program: SpatialProgram,
        changes: SequenceChanges,
        gradients: ScaledGradients,
        blocks: np.ndarray,
        device: torch.device,
    ) -> ChangedPulses:
        """The pulses of `program` with changes that `checked` left on `device`; blocks: of each pulse."""
        scale, offset = changes.rf_scale, changes.rf_offset
        each = any(isinstance(value, Tensor) and bool(value.ndim) for value in (scale, offset))
        by_block = gradients.scale is not None and bool(gradients.scale.ndim)
        scale, phase, offset = (
            filled(value, nothing, blocks.size, device)
            for value, nothing in ((scale, 1.0), (changes.rf_phase, 0.0), (offset, 0.0))
        )
        return cls(
            program=program,
            steps=tuple(step for step in program.steps if isinstance(step, RfStep)),
            blocks=blocks,
            scale=scale,
            phase=phase,
            offset=offset,
            gradients=gradients,
            apart=tuple(each or (by_block and bool(pulse.gradient.any())) for pulse in program.pulses),
        )

    def met(self, pulse: int, spins: Spins) -> Spins:
        """The spins to which the pulse of the file does what pulse `pulse` does to `spins`."""
        return replace(
            spins,
            b0=spins.b0.double() - self.offset[pulse],
            b1=spins.b1.double() * self.scale[pulse],
            axes=self._axes(spins, int(self.blocks[pulse])),
        )

    @torch.no_grad()
    def reach(self, table: int, spins: Spins) -> Spins:
        """Spins as the pulses of a table meet them, and some more in the ranges of B1+, off-resonance and place."""
        pulses = [number for number, step in enumerate(self.steps) if step.pulse == table]
        b0, b1 = (torch.tensor([found.low, found.high]).to(self.scale) for found in map(range_of, (spins.b0, spins.b1)))
        b1 = b1[:, None] * self.scale[pulses]
        spread = (1 + b1.abs()) * WIDER_B1
        axes = [self._axes(spins, block) for block in np.unique(self.blocks[pulses]).tolist()]
        z, y, x = (torch.cat(parts) for parts in zip(*axes, strict=True))
        return replace(
            spins,
            m0=spins.m0.expand(len(pulses), *spins.m0.shape),
            b0=b0[:, None] - self.offset[pulses] + torch.tensor([[-WIDER_B0], [WIDER_B0]]).to(b0),
            b1=torch.cat([b1 - spread, b1 + spread]),
            axes=(z, y, x),
        )

    def moves(self, tables: list[PulseTable], spins: Spins) -> Iterator[Pulsed]:
        """The pulses in playing order; a map that no change tells apart is made once."""
        maps: dict[int, Tensor] = {}
        phases, offsets = self.phase.unbind(), self.offset.unbind()
        anew = self._kept(tables) * spins.count > GRADIENT_BUDGET
        for pulse, step in enumerate(self.steps):
            make = partial(self._rows, tables[step.pulse], pulse, spins)
            if not self.apart[step.pulse]:
                if step.pulse not in maps:
                    maps[step.pulse] = make()
                make = partial(maps.__getitem__, step.pulse)
            turned = 2 * torch.pi * offsets[pulse] * self.program.pulses[step.pulse].duration
            before, after = step.before - phases[pulse], step.after + phases[pulse] + turned
            yield Pulsed(make, before, after, anew=anew and self.apart[step.pulse])

    def _kept(self, tables: list[PulseTable]) -> int:
        """Bytes that gradients keep of all maps of one spin."""
        return sum(tables[step.pulse].kept for step in self.steps if self.apart[step.pulse])

    def _rows(self, table: PulseTable, pulse: int, spins: Spins) -> Tensor:
        return table(self.met(pulse, spins)).to(spins.m0.dtype)

    def _axes(self, spins: Spins, block: int) -> tuple[Tensor, Tensor, Tensor]:
        z, y, x = (self.gradients(axis, block) for axis in spins.axes)
        return z, y, x


def filled(change: Tensor | float | None, nothing: float, count: int, device: torch.device) -> Tensor:
    """A change as a tensor of `count` numbers, `nothing` where there is none."""
    return torch.as_tensor(nothing if change is None else change, dtype=torch.float64, device=device).expand(count)
