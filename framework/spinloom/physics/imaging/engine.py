"""Simulate a phantom under a timeline: choose expansions and memory, play, and say what was approximated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.playing import play
from spinloom.physics.imaging.readouts import LONGEST_TURN, interpolation, spread_rate
from spinloom.physics.imaging.spins import Spins, spins_of
from spinloom.sequence.spatial_steps import SpatialProgram, spatial_program
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

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
    dephasing: bool = True,
    complete_recovery: bool = False,
    larmor: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> PhantomSolution:
    """Mean transverse magnetisation of `phantom` at every ADC sample of `timeline`.

    rtol: largest error of a sample, relative to the mean M0 of the phantom's voxels, by interpolation
    dephasing: whether the spins of a single plane spread over its thickness
    complete_recovery: whether magnetisation is at equilibrium before each excitation that follows a readout
    larmor: Larmor frequency [Hz], for ppm terms of pulses and receivers
    progress: called now and then with the isochromats that are done and their number
    """
    spins = spins_of(phantom.to(dtype, torch.device(device)), dephasing)
    middle, spread = spread_rate(spins)
    longest = 2 * LONGEST_TURN / spread if spread > 0 else np.inf
    program = spatial_program(timeline, larmor, longest, complete_recovery)
    samples = _play_parts(program, spins, middle, spread, rtol, progress)
    return PhantomSolution(samples, program.time, program.measurement, ())


def _play_parts(
    program: SpatialProgram,
    spins: Spins,
    middle: complex,
    spread: float,
    rtol: float,
    progress: Callable[[int, int], None] | None,
) -> Tensor:
    interpolations = [interpolation(readout, middle, spread, rtol / 4) for readout in program.readouts]
    total: Tensor | None = None
    done = 0
    for part in spins.parts(SPINS_AT_ONCE):
        samples = play(program, part, interpolations, rtol / 4)
        total = samples if total is None else total + samples
        done += part.m0.numel()
        if progress is not None:
            progress(done, spins.count)
    assert total is not None
    return total
