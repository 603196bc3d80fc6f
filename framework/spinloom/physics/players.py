"""Which engine plays: the compiled one where it applies, the readable one where gradients or a device ask for it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, known_names
from spinloom.physics.fast import play_fast
from spinloom.physics.fast_program import FastProgram
from spinloom.physics.propagation import Propagators, play
from spinloom.physics.star import star_of
from spinloom.sequence.steps import StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

Player = Callable[[Tissue, int | None], tuple[Tensor, Tensor]]
"""Plays a flat batch of tissues with so many cells a pulse: Mz and complex Mxy, shapes `(batch, samples)`."""

ENGINES = ("auto", "fast", "readable")
"""`auto` takes the fast engine where it applies."""

EXACT = 1e-13
"""Tolerance of the Taylor series where every sample of the file is solved: rounding."""


def choose_player(
    program: StepProgram, timeline: Timeline, tissue: Tissue, rtol: float, dtype: torch.dtype, engine: str
) -> tuple[Player, str]:
    """The player for tissues like `tissue`, and its name, `fast` or `readable`."""
    if engine not in ENGINES:
        raise ConfigurationError(f"The engine '{engine}' is unknown. {known_names(engine, ENGINES)}")
    star = None if engine == "readable" else star_of(tissue)
    if star is None and engine == "fast":
        raise ConfigurationError(
            f"The fast engine does not solve tissue '{tissue.name}': it plays star exchange on the CPU, without "
            "gradients; engine=auto takes the readable one."
        )
    if star is None:
        return lambda part, cells: play(program, timeline, part, Propagators(timeline, part, cells), dtype), "readable"

    prepared = FastProgram.of(program, timeline, tissue)

    def fast(part: Tissue, cells: int | None) -> tuple[Tensor, Tensor]:
        rates = star_of(part)
        assert rates is not None
        tolerance = EXACT if cells is None else min(0.1 * rtol, 1e-6)
        mz, mxy = play_fast(prepared, part, rates, cells, tolerance, torch.get_num_threads())
        return mz.to(dtype), mxy.to(torch.complex64 if dtype == torch.float32 else torch.complex128)

    return fast, "fast"
