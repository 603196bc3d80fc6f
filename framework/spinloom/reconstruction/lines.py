"""The lines of Cartesian k-space: ADC events whose samples lie along one axis of the gradients.

Nothing here asks in which order or direction lines were played, nor whether their samples are evenly spaced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.errors import SequenceError
from spinloom.reconstruction.not_cartesian import NotCartesianError

AXES = ("x", "y", "z")

STRAIGHT = 0.02
"""A line may wander by this many cells (1 / field of view) across its direction: 6 digits of a gradient are less."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines of samples along one axis.

    axis: along which they run, 0 (x), 1 (y) or 2 (z)
    along: k of each sample on that axis [cycles/m], shape `(lines, samples)`
    across: k of each line on all three axes, 0 on its own [cycles/m], shape `(lines, 3)`
    events: ADC event of each line, shape `(lines,)`
    samples: index of each line's first sample in k-space, shape `(lines,)`
    """

    axis: int
    along: np.ndarray
    across: np.ndarray
    events: np.ndarray
    samples: np.ndarray


def find_lines(trajectory: np.ndarray, measurement: np.ndarray, events: np.ndarray, fov: np.ndarray) -> Lines:
    """The lines that the chosen ADC events are; raises `NotCartesianError` where they are none.

    trajectory, measurement: of `KSpace`
    events: ADC events to take, shape `(lines,)`
    fov: along x, y, z [m], which says how straight is straight

    Raises `SequenceError` for events of several lengths.
    """
    first = np.searchsorted(measurement, events)
    counts = np.searchsorted(measurement, events, side="right") - first
    if np.ptp(counts) > 0:
        raise SequenceError(
            f"ADC events {events[np.argmin(counts)]} and {events[np.argmax(counts)]} take {counts.min()} and "
            f"{counts.max()} samples; lines of one image are equally long. Choose events of one length (`events=`)."
        )
    k = trajectory[first[:, None] + np.arange(counts[0])]
    reach = np.ptp(k, axis=1) * fov
    axis = int(np.argmax(np.median(reach, axis=0)))
    wander = np.delete(reach, axis, axis=1).max(axis=1)
    bent = np.flatnonzero((wander > STRAIGHT) | (reach[:, axis] < 1))
    if bent.size:
        raise NotCartesianError(
            f"The samples of ADC event {events[bent[0]]} span {reach[bent[0], 0]:.3g}, {reach[bent[0], 1]:.3g} and "
            f"{reach[bent[0], 2]:.3g} cycles over the field of view along x, y and z, which is no line along "
            f"{AXES[axis]} as the others are; a Cartesian image needs lines. Take method='nufft'."
        )
    across = k.mean(axis=1)
    across[:, axis] = 0.0
    return Lines(axis, k[:, :, axis], across, events, first)
