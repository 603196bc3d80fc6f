"""Where the lines of Cartesian k-space go: their grid, the image that it encodes, and the frame of each line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinloom.interfaces import KSpace
from spinloom.reconstruction.counters import check_counters
from spinloom.reconstruction.frames import Frames, frames_of
from spinloom.reconstruction.grids import Grid, find_grid, matrix_of
from spinloom.reconstruction.lines import AXES, Lines, find_lines

UNEVEN = 0.01
"""Samples whose spacing varies by more than this part are resampled."""


@dataclass(frozen=True, eq=False)
class CartesianPlan:
    """Where the lines of k-space go.

    lines: of the image
    fov: of the image along x, y, z [m]
    grids, places: of the two axes across the lines, by axis, and each line's place
    readout: positions along the lines, evenly spaced [cycles/m]
    frames: which image each line belongs to
    """

    lines: Lines
    fov: np.ndarray
    grids: Mapping[int, Grid]
    places: Mapping[int, np.ndarray]
    readout: np.ndarray
    frames: Frames

    @property
    def steps(self) -> np.ndarray:
        """Spacing of k along x, y, z [cycles/m]; infinite along axes that are not encoded."""
        steps = [self.grids[axis].step if axis in self.grids else spacing(self.readout) for axis in range(3)]
        return np.array(steps)

    @property
    def positions(self) -> list[np.ndarray]:
        """Evenly spaced k along x, y, z [cycles/m]."""
        return [self.grids[axis].positions if axis in self.grids else self.readout for axis in range(3)]

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last position along x, y, z [cycles/m]."""
        return np.array([k[0] for k in self.positions]), np.array([k[-1] for k in self.positions])

    @property
    def evenly_sampled(self) -> bool:
        """Whether samples along the lines are evenly spaced as they are."""
        return all(is_even(line) for line in self.lines.along[:2])

    @property
    def centre(self) -> tuple[float, float, float]:
        """Position n // 2 of the n along x, y, z [cycles/m]."""
        x, y, z = (float(positions[positions.size // 2]) for positions in self.positions)
        return x, y, z

    def matrix(self, origin: np.ndarray) -> tuple[int, int, int]:
        """Voxels along x, y, z that the positions resolve."""
        low, high = self.ends
        x, y, z = (
            matrix_of(low[axis] - origin[axis], high[axis] - origin[axis], self.steps[axis], self.fov[axis])
            for axis in range(3)
        )
        return x, y, z


def plan_cartesian(
    kspace: KSpace, events: np.ndarray, fov: np.ndarray, repeats: str, use_labels: bool
) -> CartesianPlan:
    """Find lines, their grid and their frames; `SequenceError` where there are none or labels contradict them."""
    lines = find_lines(kspace.trajectory, kspace.measurement, events, fov)
    labels = {name: values[events] for name, values in kspace.labels.items()} if use_labels else {}
    found = {
        axis: find_grid(lines.across[:, axis], float(fov[axis]), AXES[axis]) for axis in range(3) if axis != lines.axis
    }
    grids = {axis: grid for axis, (grid, _) in found.items()}
    places = {axis: place for axis, (_, place) in found.items()}
    check_counters(labels, grids, places)
    one, other = grids
    frames = frames_of(places[one] * grids[other].count + places[other], labels, repeats)
    return CartesianPlan(lines, fov, grids, places, even_positions(lines.along, float(fov[lines.axis])), frames)


def is_even(k: np.ndarray) -> bool:
    """Whether samples at `k` are evenly spaced, to a part `UNEVEN` of their spacing."""
    steps = np.diff(k)
    return bool(np.ptp(steps) < UNEVEN * abs(steps.mean()))


def even_positions(along: np.ndarray, fov: float) -> np.ndarray:
    """Evenly spaced positions that the samples of lines span, in rising order [cycles/m].

    Unevenly sampled lines span half a spacing beyond their first and last sample, as even ones do.
    """
    k = np.sort(along, axis=1).mean(axis=0)
    if all(is_even(line) for line in along[:2]):
        return np.linspace(k[0], k[-1], k.size)
    low, high = (3 * k[0] - k[1]) / 2, (3 * k[-1] - k[-2]) / 2
    count = max(round((high - low) * fov), 2)
    even: np.ndarray = (low + high) / 2 + (np.arange(count) - (count - 1) / 2) / fov
    return even


def spacing(positions: np.ndarray) -> float:
    """Spacing of even positions [cycles/m]; infinite for one."""
    return float(positions[-1] - positions[0]) / (positions.size - 1) if positions.size > 1 else np.inf
