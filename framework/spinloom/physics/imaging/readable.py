"""The readable engine for a whole phantom: prepare pulses and readouts, and play part after part of the isochromats."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from torch import Tensor

from spinloom.physics.imaging.changed_moves import ChangedProgram
from spinloom.physics.imaging.moves import Moves, file_moves
from spinloom.physics.imaging.playing import play
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.readouts import interpolation, spread_rate
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.spatial_steps import SpatialProgram
from spinloom.sequence.timeline import Timeline

SPINS_AT_ONCE = 2**18
"""Isochromats that are played together; memory grows with this, not with the phantom."""

SLOPES = 0.1
"""Part of a pulse's error that its table is held to where slopes of the table become gradients."""


def play_readable(
    timeline: Timeline,
    program: SpatialProgram,
    spins: Spins,
    changes: SequenceChanges | None,
    rtol: float,
    pulse_rtol: float,
    progress: Callable[[int, int], None] | None,
) -> tuple[Tensor, np.ndarray]:
    """Mean over all isochromats at every sample, complex, shape `(coils, samples)`, and the samples' times [s].

    program: that `spatial_program` made of `timeline`
    changes: that `checked` left on the device of the isochromats
    rtol, pulse_rtol: errors of a readout by interpolation, and of a pulse
    """
    moves, time = _moves(timeline, program, spins, changes, pulse_rtol)
    middle, spread = spread_rate(spins)
    interpolations = [interpolation(readout, middle, spread, rtol) for readout in program.readouts]
    total: Tensor | None = None
    done = 0
    for part in spins.parts(SPINS_AT_ONCE):
        samples = play(moves(part), part, program.readouts, interpolations)
        total = samples if total is None else total + samples
        done += part.m0.numel()
        if progress is not None:
            progress(done, spins.count)
    assert total is not None
    return total, time


def _moves(
    timeline: Timeline, program: SpatialProgram, spins: Spins, changes: SequenceChanges | None, rtol: float
) -> tuple[Moves, np.ndarray]:
    """What parts of `spins` meet, and when samples are taken."""
    if changes is None:
        return partial(file_moves, program, [PulseTable(pulse, spins, rtol) for pulse in program.pulses]), program.time
    changed = ChangedProgram.of(timeline, program, changes, spins.m0.device)
    held = rtol * SLOPES if changes.differentiable else rtol
    tables = [
        PulseTable(pulse, changed.pulses.reach(number, spins), held) for number, pulse in enumerate(program.pulses)
    ]
    return partial(changed.moves, tables), changed.sample_times(timeline)
