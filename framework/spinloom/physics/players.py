"""Which engine plays: the compiled one where it applies, the readable one where gradients or a device ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, known_names
from spinloom.physics.accuracy import Play
from spinloom.physics.bloch_mcconnell import Layout
from spinloom.physics.fast import play_fast
from spinloom.physics.fast_program import FastProgram
from spinloom.physics.pool_changes import PoolChanges
from spinloom.physics.propagation import Propagators, play
from spinloom.physics.star import star_of
from spinloom.sequence.steps import StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

ENGINES = ("auto", "fast", "readable")
"""`auto` takes the fast engine where it applies."""

EXACT = 1e-13
"""Tolerance of the Taylor series where every sample of the file is solved: rounding."""

SHARE = 0.5
"""Part of the error asked for that the pulses of a train may add up to besides their sampling."""

COARSEST = 1e-6
"""Pulses are solved to this at least."""

CACHED = 16 * 2**20
"""Bytes that the propagators of a chunk of tissues may take in the fast engine: they stay in the processor's cache."""

KEPT = 512 * 2**20
"""The same in the readable engine, which takes its time for each step of a chunk, however small that is."""


@dataclass(frozen=True)
class Player:
    """An engine with a program.

    name: `fast` or `readable`
    program: distinct pulses and steps
    tolerance: of a pulse's solution, besides its sampling
    play: plays a part of the batch
    chunk: tissues to play at once
    """

    name: str
    program: FastProgram
    tolerance: float
    play: Play
    chunk: int


def choose_engine(tissue: Tissue, engine: str) -> str:
    """Which engine plays tissues like `tissue`, `fast` or `readable`; engine: one of `ENGINES`."""
    if engine not in ENGINES:
        raise ConfigurationError(f"The engine '{engine}' is unknown. {known_names(engine, ENGINES)}")
    is_star = engine != "readable" and _is_star(tissue)
    if engine == "fast" and not is_star:
        raise ConfigurationError(
            f"The fast engine does not solve tissue '{tissue.name}': it plays star exchange on the CPU, without "
            "gradients; engine=auto takes the readable one."
        )
    return "fast" if is_star else "readable"


def _is_star(tissue: Tissue) -> bool:
    """Whether the fast engine solves every tissue of a batch, judged by its first and those that exchange most."""
    judged = {0, *(int(pair.k.detach().argmax()) for pair in tissue.exchange)}
    return all(star_of(tissue[number : number + 1]) is not None for number in judged)


def player_of(
    engine: str,
    program: StepProgram,
    timeline: Timeline,
    tissue: Tissue,
    rtol: float,
    dtype: torch.dtype,
    changes: PoolChanges | None = None,
) -> Player:
    """The player of `program` for tissues like `tissue`.

    engine: `fast` or `readable`
    changes: with respect to which the readable one has gradients
    """
    prepared = FastProgram.of(program, timeline, tissue)
    tolerance = min(SHARE * rtol / prepared.longest_train, COARSEST)
    matrices = max(1, (len(prepared.keys) + prepared.durations.size) * Layout.of(tissue).size ** 2 * 8)
    if engine == "fast":
        played, budget = _fast(prepared, tolerance, dtype), CACHED * torch.get_num_threads()
    else:
        played, budget = _readable(program, timeline, dtype, changes), KEPT
    return Player(engine, prepared, tolerance, played, max(1, budget // matrices))


def _readable(program: StepProgram, timeline: Timeline, dtype: torch.dtype, changes: PoolChanges | None) -> Play:
    def played(part: Tissue, cells: int | None) -> tuple[Tensor, Tensor]:
        propagators = Propagators(timeline, part, cells)
        moves = propagators.moves(program) if changes is None else changes.moves(program, propagators, part, cells)
        return play(moves, part, dtype)

    return played


def _fast(program: FastProgram, tolerance: float, dtype: torch.dtype) -> Play:
    threads = torch.get_num_threads()

    def played(part: Tissue, cells: int | None) -> tuple[Tensor, Tensor]:
        mz, mxy = play_fast(program, part, cells, EXACT if cells is None else tolerance, threads)
        return mz.to(dtype), mxy.to(torch.complex64 if dtype == torch.float32 else torch.complex128)

    return played
