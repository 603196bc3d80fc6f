"""Play a spatial program on isochromats, step after step: the readable engine, on any device, differentiable.

Between events M+ turns and decays, M+ -> M+ e^(L t) e^(2 pi i k r), and Mz recovers; pulses are the maps of
`pulse_maps`; readouts the sums of `readouts`.  Durations and moments of the steps may carry gradients of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.readouts import Interpolation, contract
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import ReadStep, RestoreStep, RfStep, SpanStep, SpatialProgram


@dataclass(frozen=True, eq=False)
class State:
    """Magnetisation of the isochromats: complex M+ and Mz, shape `(z, y, x)`."""

    transverse: Tensor
    longitudinal: Tensor


def play(
    program: SpatialProgram, spins: Spins, interpolations: list[Interpolation], tables: list[PulseTable]
) -> Tensor:
    """Mean over all isochromats at every sample, complex, shape `(coils, samples)`."""
    maps = [table(spins) for table in tables]
    state = replace(at_equilibrium(spins), longitudinal=spins.start)
    parts = []
    for step in program.steps:
        match step:
            case RfStep(pulse, before, after):
                state = excited(state, maps[pulse], before, after, spins)
            case SpanStep(duration, moment):
                state = precessed(state, duration, torch.tensor(moment, dtype=torch.float64), spins)
            case ReadStep(readout, _):
                parts.append(read(state, program, readout, interpolations[readout], spins))
            case RestoreStep():
                state = at_equilibrium(spins)
    if not parts:
        return torch.zeros(spins.coil_count, 0, dtype=state.transverse.dtype, device=spins.m0.device)
    return torch.cat(parts, dim=-1) / spins.count


def at_equilibrium(spins: Spins) -> State:
    """All magnetisation along z."""
    return State(torch.zeros_like(spins.m0).to(spins.m0.dtype.to_complex()), spins.m0)


def excited(state: State, rows: Tensor, before: float, after: float, spins: Spins) -> State:
    """The state after a pulse with the map `rows`."""
    turned = state.transverse * _unit(before, state.transverse)
    x, y, z = turned.real, turned.imag, state.longitudinal
    mx, my, mz = (row[0] * x + row[1] * y + row[2] * z + row[3] * spins.m0 for row in rows)
    return State(torch.complex(mx, my) * _unit(after, state.transverse), mz)


def _unit(angle: float, like: Tensor) -> Tensor:
    turn = torch.tensor(angle, dtype=torch.float64, device=like.device)
    return torch.polar(torch.ones_like(turn), turn).to(like.dtype)


def precessed(state: State, duration: float, moment: Tensor, spins: Spins) -> State:
    """The state after free precession."""
    factor = free_factor(duration, spins)
    for values, shape in zip(spins.phases(moment.to(spins.m0.device)), ((-1, 1, 1), (-1, 1), (-1,)), strict=True):
        factor = factor * values.reshape(shape).to(factor.dtype)
    recovery = torch.exp(-spins.r1 * duration)
    return State(state.transverse * factor, spins.m0 + (state.longitudinal - spins.m0) * recovery)


def free_factor(duration: float, spins: Spins) -> Tensor:
    """e^(L t) of each isochromat; the turns are taken in float64, because they may be many."""
    turns = spins.b0.double() * duration
    phase = (2 * torch.pi * (turns - turns.detach().round())).to(spins.m0.dtype)
    return torch.polar(torch.exp(-spins.r2 * duration), phase)


def read(state: State, program: SpatialProgram, number: int, interpolation: Interpolation, spins: Spins) -> Tensor:
    """Sum over the isochromats at the samples of a readout, shape `(coils, samples)`."""
    readout = program.readouts[number]
    received = state.transverse if spins.coils is None else state.transverse * spins.coils
    total: Tensor | None = None
    weights = torch.tensor(interpolation.weights * readout.receiver[:, None], device=received.device).to(received.dtype)
    for node, time in enumerate(interpolation.nodes.tolist()):
        at_node = contract(received * free_factor(time, spins), readout, spins) * weights[:, node]
        total = at_node if total is None else total + at_node
    assert total is not None
    return total.reshape(spins.coil_count, -1)
