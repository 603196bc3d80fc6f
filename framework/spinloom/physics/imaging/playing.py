"""Play moves on isochromats, one after the other: the readable engine, on any device, differentiable.

Between events M+ turns and decays, M+ -> M+ e^(L t) e^(2 pi i k r), and Mz recovers; pulses are the maps of
`pulse_maps`; readouts the sums of `readouts`.  Where the numbers of the moves come from is theirs: `moves` takes a file
as it is, `changed_moves` changes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from spinloom.physics.imaging.moves import Move, Number, Passed, Pulsed, Received, Restored
from spinloom.physics.imaging.readouts import Interpolation, contract, moving_axes
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import SpatialReadout

ALL_AXES = True, True, True


@dataclass(frozen=True, eq=False)
class State:
    """Magnetisation of the isochromats: complex M+ and Mz, shape `(z, y, x)`."""

    transverse: Tensor
    longitudinal: Tensor


def play(
    moves: Iterable[Move], spins: Spins, readouts: tuple[SpatialReadout, ...], interpolations: list[Interpolation]
) -> Tensor:
    """Mean over all isochromats at every sample, complex, shape `(coils, samples)`."""
    state = replace(at_equilibrium(spins), longitudinal=spins.start)
    parts = []
    for move in moves:
        match move:
            case Pulsed():
                state = excited(state, move, spins)
            case Passed(duration, moment):
                state = precessed(state, duration, moment, spins)
            case Received(number):
                parts.append(read(state, move, readouts[number], interpolations[number], spins))
            case Restored():
                state = at_equilibrium(spins)
    if not parts:
        return torch.zeros(spins.coil_count, 0, dtype=state.transverse.dtype, device=spins.m0.device)
    return torch.cat(parts, dim=-1) / spins.count


def at_equilibrium(spins: Spins) -> State:
    """All magnetisation along z."""
    return State(torch.zeros_like(spins.m0).to(spins.m0.dtype.to_complex()), spins.m0)


def excited(state: State, pulse: Pulsed, spins: Spins) -> State:
    """The state after a pulse."""

    def mapped(turned: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        x, y = turned.real, turned.imag
        mx, my, mz = (row[0] * x + row[1] * y + row[2] * z + row[3] * spins.m0 for row in pulse.rows())
        return torch.complex(mx, my), mz

    turned = state.transverse * _unit(pulse.before, state.transverse)
    if pulse.anew and torch.is_grad_enabled():
        plus, z = checkpoint(mapped, turned, state.longitudinal, use_reentrant=False, preserve_rng_state=False)
    else:
        plus, z = mapped(turned, state.longitudinal)
    return State(plus * _unit(pulse.after, plus), z)


def _unit(angle: Number, like: Tensor) -> Tensor:
    turn = torch.as_tensor(angle, dtype=torch.float64, device=like.device)
    return torch.polar(torch.ones_like(turn), turn).to(like.dtype)


def precessed(state: State, duration: Number, moment: Tensor, spins: Spins) -> State:
    """The state after free precession."""
    factor = free_factor(duration, spins)
    for values, shape in zip(spins.phases(moment.to(spins.m0.device)), ((-1, 1, 1), (-1, 1), (-1,)), strict=True):
        factor = factor * values.reshape(shape).to(factor.dtype)
    recovery = torch.exp(-spins.r1 * duration)
    return State(state.transverse * factor, spins.m0 + (state.longitudinal - spins.m0) * recovery)


def free_factor(duration: Number, spins: Spins) -> Tensor:
    """e^(L t) of each isochromat; the turns are taken in float64, because they may be many."""
    turns = spins.b0.double() * duration
    phase = (2 * torch.pi * (turns - turns.detach().round())).to(spins.m0.dtype)
    return torch.polar(torch.exp(-spins.r2 * duration), phase)


def read(
    state: State, received: Received, readout: SpatialReadout, interpolation: Interpolation, spins: Spins
) -> Tensor:
    """Sum over the isochromats at the samples of a readout, shape `(coils, samples)`."""
    plus = state.transverse if spins.coils is None else state.transverse * spins.coils
    moving = ALL_AXES if received.anywhere else moving_axes(readout, spins)
    total: Tensor | None = None
    weights = torch.tensor(interpolation.weights * readout.receiver[:, None], device=plus.device).to(plus.dtype)
    for node, time in enumerate(interpolation.nodes.tolist()):
        at_node = contract(plus * free_factor(time, spins), received.moments, moving, spins) * weights[:, node]
        total = at_node if total is None else total + at_node
    assert total is not None
    return total.reshape(spins.coil_count, -1)
