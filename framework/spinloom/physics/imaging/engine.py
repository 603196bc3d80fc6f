"""Simulate a phantom under a timeline: choose expansions and memory, play, and say what was approximated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, known_names
from spinloom.physics.changed_timeline import changed_timeline
from spinloom.physics.imaging.arrangement import arrange
from spinloom.physics.imaging.expansion import expansion
from spinloom.physics.imaging.kept_memory import keep_freed_memory
from spinloom.physics.imaging.line_axes import line_axis
from spinloom.physics.imaging.mean_squares import mean_squares
from spinloom.physics.imaging.programs import plan_of, program_of
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.ranges import range_of
from spinloom.physics.imaging.readable import play_readable
from spinloom.physics.imaging.readouts import LONGEST_TURN, spread_rate
from spinloom.physics.imaging.spins import Spins, spins_of
from spinloom.physics.imaging.tiles import Tiles
from spinloom.physics.sequence_changes import SequenceChanges, checked
from spinloom.sequence.spatial_steps import RfStep, SpatialProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

ENGINES = ("auto", "fast", "general", "readable")

MOST_TURN = 8.0
"""As `LONGEST_TURN`, for the compiled engine, to which a part costs more than the terms of a longer one."""

MOST_PULSES = 16
"""Errors of so many pulses are taken to add up, as their squares do; later ones meet what has decayed."""


@dataclass(frozen=True, eq=False)
class PhantomSolution:
    """Signal of a phantom: complex samples `(coils, samples)`, their time [s] and ADC event, and sentences."""

    samples: Tensor
    time: np.ndarray
    measurement: np.ndarray
    notes: tuple[str, ...]


def solve_phantom(
    timeline: Timeline,
    phantom: Phantom,
    *,
    rtol: float = 1e-5,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    start: Tensor | None = None,
    changes: SequenceChanges | None = None,
    dephasing: bool = True,
    complete_recovery: bool = False,
    larmor: float = 0.0,
    engine: str = "auto",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PhantomSolution:
    """Mean transverse magnetisation of `phantom` at every ADC sample of `timeline`.

    rtol: largest error of a sample, relative to the mean M0 of the phantom's voxels, by interpolation
    start: magnetisation along z before the first event, of the phantom's shape; None for equilibrium
    changes: by how much the sequence is played otherwise than `timeline` says; None plays it as it is
    dephasing: whether the spins of a single plane spread over its thickness
    complete_recovery: whether magnetisation is at equilibrium before each excitation that follows a readout
    larmor: Larmor frequency [Hz], for ppm terms of pulses and receivers
    engine: `fast` (compiled, CPU, no gradients; readouts along one axis of the grid as a whole, others sample by
        sample), `general` (the same, every readout sample by sample), `readable` (torch, any device, differentiable),
        or `auto`: `fast` where it can
    threads: of the compiled engines; None takes torch's
    progress: called now and then with the isochromats that are done and their number

    Differentiable with respect to the maps of the phantom, `start` and `changes`, by the readable engine.
    """
    if engine not in ENGINES:
        raise ConfigurationError(f"simulator.engine is '{engine}'. {known_names(engine, ENGINES)}")
    where = torch.device(device)
    spins = spins_of(phantom, dephasing, start, dtype=dtype, device=where)
    notes: tuple[str, ...] = ()
    if changes is not None:
        changes = checked(changes, timeline, where)
        notes = changes.sentences
    compiled = engine != "readable" and where.type == "cpu" and not _asking(spins, changes)
    if engine in ("fast", "general") and not compiled:
        raise ConfigurationError(
            f"simulator.engine is '{engine}', which has no gradients and runs on the CPU, but "
            f"{_asking(spins, changes) or f'the device is {device}'}; engine=auto plays with torch where it must."
        )
    if compiled and changes is not None:
        timeline = changed_timeline(timeline, changes)
    _, spread = spread_rate(spins)
    most = MOST_TURN if compiled else LONGEST_TURN
    program = program_of(timeline, larmor, 2 * most / spread if spread > 0 else math.inf, complete_recovery)
    pulse_rtol = _pulse_rtol(program, rtol)
    if compiled:
        keep_freed_memory()
        tables = [PulseTable(pulse, spins, pulse_rtol) for pulse in program.pulses]
        tiles = _tiles(program, spins, tables, rtol, every_sample=engine == "general")
        samples = tiles.play(torch.get_num_threads() if threads is None else threads, progress) / spins.count
        time = program.time
    else:
        samples, time = play_readable(timeline, program, spins, changes, rtol / 4, pulse_rtol, progress)
    return PhantomSolution(samples, time, program.measurement, (*program.notes, *notes))


def _asking(spins: Spins, changes: SequenceChanges | None) -> str:
    """What asks for gradients, in words; nothing where nothing does."""
    if spins.differentiable:
        return "a map asks for gradients"
    return "a change of the sequence asks for gradients" if changes is not None and changes.differentiable else ""


def _pulse_rtol(program: SpatialProgram, rtol: float) -> float:
    """What a pulse may err, so that all of them stay below a quarter of `rtol`."""
    pulses = sum(isinstance(step, RfStep) for step in program.steps)
    return rtol / 4 / math.sqrt(max(1, min(pulses, MOST_PULSES)))


def _tiles(program: SpatialProgram, spins: Spins, tables: list[PulseTable], rtol: float, every_sample: bool) -> Tiles:
    """The compiled engine; every_sample: whether readouts are taken sample by sample even where they are lines."""
    axis, lines = line_axis(program, spins)
    plan = plan_of(program, tuple(line and not every_sample for line in lines))
    furthest = max((float(np.abs(program.readouts[number].times).max()) for number in plan.readouts), default=0.0)
    b0, r2 = range_of(spins.b0), range_of(spins.r2)
    squares = mean_squares(spins, spins.b0.numpy(), b0), mean_squares(spins, spins.r2.numpy(), r2)
    terms = expansion(furthest, b0, r2, 0.6 * rtol, squares)
    return Tiles(program, plan, arrange(spins, axis), terms, tables, rtol / 8)
