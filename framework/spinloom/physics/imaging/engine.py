"""Simulate a phantom under a timeline: choose expansions and memory, play, and say what was approximated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, known_names
from spinloom.physics.imaging.columns import line_axis, play_fast
from spinloom.physics.imaging.playing import play
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.readouts import LONGEST_TURN, Interpolation, interpolation, spread_rate
from spinloom.physics.imaging.spins import Spins, spins_of
from spinloom.sequence.spatial_program import spatial_program
from spinloom.sequence.spatial_steps import SpatialProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

ENGINES = ("auto", "fast", "readable")

SPINS_AT_ONCE = 2**18
"""Isochromats that are played together; memory grows with this, not with the phantom."""


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
    dephasing: whether the spins of a single plane spread over its thickness
    complete_recovery: whether magnetisation is at equilibrium before each excitation that follows a readout
    larmor: Larmor frequency [Hz], for ppm terms of pulses and receivers
    engine: `fast` (compiled, CPU, no gradients), `readable` (torch, any device, differentiable), or `auto`
    threads: of the fast engine; None takes torch's
    progress: called now and then with the isochromats that are done and their number
    """
    if engine not in ENGINES:
        raise ConfigurationError(f"simulator.engine is '{engine}'. {known_names(engine, ENGINES)}")
    spins = spins_of(phantom.to(dtype, torch.device(device)), dephasing, start)
    middle, spread = spread_rate(spins)
    longest = 2 * LONGEST_TURN / spread if spread > 0 else np.inf
    program = spatial_program(timeline, larmor, longest, complete_recovery)
    interpolations = [interpolation(readout, middle, spread, rtol / 4) for readout in program.readouts]
    tables = [PulseTable(pulse, spins, rtol / 4) for pulse in program.pulses]
    axis = None if engine == "readable" else _fast_axis(program, spins, tables)
    if axis is not None:
        workers = torch.get_num_threads() if threads is None else threads
        samples = play_fast(program, spins, axis, interpolations, tables, workers, progress)
    elif engine == "fast":
        raise ConfigurationError(
            "simulator.engine is 'fast', which takes phantoms of over 512 voxels without gradients on the CPU, pulses "
            "under constant gradients, and readouts along one axis of the grid; engine=auto finds out by itself."
        )
    else:
        samples = _play_parts(program, spins, interpolations, tables, progress)
    return PhantomSolution(samples, program.time, program.measurement, ())


def _fast_axis(program: SpatialProgram, spins: Spins, tables: list[PulseTable]) -> int | None:
    """The line axis for the fast engine, None where it does not apply."""
    maps = (spins.m0, spins.start, spins.r1, spins.r2, spins.b0, spins.b1)
    if spins.m0.device.type != "cpu" or any(values.requires_grad for values in maps):
        return None
    return line_axis(program, spins) if all(pulse.table is not None for pulse in tables) else None


def _play_parts(
    program: SpatialProgram,
    spins: Spins,
    interpolations: list[Interpolation],
    tables: list[PulseTable],
    progress: Callable[[int, int], None] | None,
) -> Tensor:
    total: Tensor | None = None
    done = 0
    for part in spins.parts(SPINS_AT_ONCE):
        samples = play(program, part, interpolations, tables)
        total = samples if total is None else total + samples
        done += part.m0.numel()
        if progress is not None:
            progress(done, spins.count)
    assert total is not None
    return total
