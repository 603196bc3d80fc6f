"""Which readouts are lines: their samples differ in moment along one axis of the grid alone, the same for all lines."""

from __future__ import annotations

from spinloom.physics.imaging.readouts import moving_axes
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import SpatialProgram

X = 2


def line_axis(program: SpatialProgram, spins: Spins) -> tuple[int, tuple[bool, ...]]:
    """The axis (0, 1, 2 for z, y, x) along which most samples move, and which readouts move along no other."""
    moving = [moving_axes(readout, spins) for readout in program.readouts]
    samples = [0, 0, 0]
    for axes, readout in zip(moving, program.readouts, strict=True):
        if sum(axes) == 1:
            samples[axes.index(True)] += readout.times.size
    axis = samples.index(max(samples)) if any(samples) else X
    return axis, tuple(not any(moves and other != axis for other, moves in enumerate(axes)) for axes in moving)
