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
from spinloom.physics.propagation import Propagators, play
from spinloom.physics.star import Star, star_of
from spinloom.sequence.steps import StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

ENGINES = ("auto", "fast", "readable")
"""`auto` takes the fast engine where it applies."""

EXACT = 1e-13
"""Tolerance of the Taylor series where every sample of the file is solved: rounding."""

SHARE = 0.3
"""Part of the error asked for that the Taylor series of a train's pulses may add up to."""

CACHED = 16 * 2**20
"""Bytes that the propagators of a chunk of tissues may take in the fast engine: they stay in the processor's cache."""

KEPT = 512 * 2**20
"""The same in the readable engine, which takes its time for each step of a chunk, however small that is."""


@dataclass(frozen=True)
class Player:
    """An engine with a program.

    name: `fast` or `readable`
    play: plays a part of the batch
    chunk: tissues to play at once
    """

    name: str
    play: Play
    chunk: int


def choose_player(
    program: StepProgram, timeline: Timeline, tissue: Tissue, rtol: float, dtype: torch.dtype, engine: str
) -> Player:
    """The player for tissues like `tissue`."""
    if engine not in ENGINES:
        raise ConfigurationError(f"The engine '{engine}' is unknown. {known_names(engine, ENGINES)}")
    is_star = engine != "readable" and _is_star(tissue)
    if engine == "fast" and not is_star:
        raise ConfigurationError(
            f"The fast engine does not solve tissue '{tissue.name}': it plays star exchange on the CPU, without "
            "gradients; engine=auto takes the readable one."
        )
    prepared = FastProgram.of(program, timeline, tissue)
    matrices = (len(prepared.keys) + prepared.durations.size) * Layout.of(tissue).size ** 2 * 8
    build = _fast if is_star else _readable
    return build(program, prepared, rtol, dtype, matrices)


def _is_star(tissue: Tissue) -> bool:
    """Whether the fast engine solves every tissue of a batch, judged by its first and those that exchange most."""
    judged = {0, *(int(pair.k.detach().argmax()) for pair in tissue.exchange)}
    return all(star_of(tissue[number : number + 1]) is not None for number in judged)


def _readable(program: StepProgram, prepared: FastProgram, rtol: float, dtype: torch.dtype, matrices: int) -> Player:
    timeline = prepared.timeline

    def played(part: Tissue, cells: int | None) -> tuple[Tensor, Tensor]:
        return play(program, timeline, part, Propagators(timeline, part, cells), dtype)

    return Player("readable", played, max(1, KEPT // max(matrices, 1)))


def _fast(program: StepProgram, prepared: FastProgram, rtol: float, dtype: torch.dtype, matrices: int) -> Player:
    threads, fine = torch.get_num_threads(), min(SHARE * rtol / prepared.longest_train, 1e-6)

    def played(part: Tissue, cells: int | None) -> tuple[Tensor, Tensor]:
        tolerance = EXACT if cells is None else fine
        mz, mxy = play_fast(prepared, part, _star(part), cells, tolerance, threads)
        return mz.to(dtype), mxy.to(torch.complex64 if dtype == torch.float32 else torch.complex128)

    return Player("fast", played, max(1, CACHED // max(matrices, 1)))


def _star(part: Tissue) -> Star:
    star = star_of(part)
    assert star is not None
    return star
