"""Cartesian images: the plain sum over lines and samples, one axis after the other, each as a matrix product.

image(r) = sum over k of S(k) exp(-2 pi i (k - origin) r), times the encoded over the phantom's field of view.  Lines
stand where their moments put them, whatever their order and direction; those that are missing count as 0, and several
visits of one place are averaged.  Lines sampled unevenly (on the ramps of their gradient) are resampled first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.interfaces import KSpace
from spinloom.reconstruction.counters import check_counters
from spinloom.reconstruction.fourier import resampling, transform
from spinloom.reconstruction.frames import Frames, frames_of
from spinloom.reconstruction.grids import Grid, find_grid, matrix_of
from spinloom.reconstruction.image import Image
from spinloom.reconstruction.lines import AXES, Lines, find_lines

UNEVEN = 0.01
"""Samples whose spacing varies by more than this part are resampled."""

ALIKE = 1e-3
"""Lines whose ends differ by less than this part of a cell are sampled alike."""


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
        steps = [self.grids[axis].step if axis in self.grids else _step(self.readout) for axis in range(3)]
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
        return all(_is_even(line) for line in self.lines.along[:2])

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
    return CartesianPlan(lines, fov, grids, places, _even(lines.along, float(fov[lines.axis])), frames)


def cartesian_image(kspace: KSpace, plan: CartesianPlan, matrix: tuple[int, int, int], origin: np.ndarray) -> Image:
    """Transform the lines of `plan` to images of `matrix` voxels along x, y, z; differentiable."""
    voxels = [(np.arange(count) - count // 2) * extent / count for count, extent in zip(matrix, plan.fov, strict=True)]
    rows = _transformed_lines(kspace, plan, voxels[plan.lines.axis], float(origin[plan.lines.axis]))
    data = _gridded(rows, plan)
    for number, (axis, grid) in enumerate(sorted(plan.grids.items(), reverse=True)):
        turned = transform(grid.positions - origin[axis], voxels[axis], grid.step, kspace.fov[axis])
        data = _along(data, turned, dim=2 + number)
    kept = [axis for axis in (2, 1, 0) if axis in plan.grids] + [plan.lines.axis]
    data = data.permute(0, 1, *(2 + kept.index(axis) for axis in (2, 1, 0)))
    x, y, z = (float(extent) for extent in plan.fov)
    return Image(data.contiguous(), (x, y, z), plan.frames.labels, _notes(plan))


def _transformed_lines(kspace: KSpace, plan: CartesianPlan, places: np.ndarray, origin: float) -> Tensor:
    """Every line as a row of voxels, shape `(coils, lines, voxels)`; lines that are sampled alike share a matrix."""
    lines, fov = plan.lines, float(plan.fov[plan.lines.axis])
    samples = lines.samples[:, None] + np.arange(lines.along.shape[1])
    values = kspace.samples[:, torch.from_numpy(samples)]
    ends = np.round(lines.along[:, [0, -1]] * fov / ALIKE)
    kind = np.unique(ends, axis=0, return_inverse=True)[1].reshape(-1)
    rows = values.new_zeros((*values.shape[:2], places.size))
    for number in range(int(kind.max()) + 1):
        members = np.flatnonzero(kind == number)
        matrix = _line_matrix(lines.along[members].mean(axis=0), places, origin, fov, kspace.fov[lines.axis])
        which = torch.from_numpy(members).to(values.device)
        rows = rows.index_copy(1, which, _along(values[:, which], matrix, dim=2))
    return rows


def _line_matrix(k: np.ndarray, places: np.ndarray, origin: float, fov: float, extent: float) -> np.ndarray:
    """From the samples at `k` to voxels at `places`, shape `(voxels, samples)`."""
    if _is_even(k):
        return transform(k - origin, places, _step(np.sort(k)), extent)
    even = _even(k[None], fov)
    return transform(even - origin, places, _step(even), extent) @ resampling(k, even, fov)


def _gridded(rows: Tensor, plan: CartesianPlan) -> Tensor:
    """Lines at their places, the mean of several visits, shape `(frames, coils, places, places, voxels)`."""
    outer, inner = sorted(plan.grids, reverse=True)
    shape = (plan.frames.count, plan.grids[outer].count, plan.grids[inner].count)
    kept = np.flatnonzero(plan.frames.number >= 0)
    place = np.ravel_multi_index((plan.frames.number[kept], plan.places[outer][kept], plan.places[inner][kept]), shape)
    weight = torch.from_numpy(1 / np.bincount(place)[place]).to(rows.real.dtype).to(rows.device)
    at, taken = (torch.from_numpy(index).to(rows.device) for index in (place, kept))
    flat = rows.new_zeros((rows.shape[0], int(np.prod(shape)), rows.shape[2]))
    flat = flat.index_add(1, at, rows[:, taken] * weight[:, None])
    return flat.reshape(rows.shape[0], *shape, rows.shape[2]).transpose(0, 1)


def _along(data: Tensor, matrix: np.ndarray, dim: int) -> Tensor:
    """Multiply one axis by a matrix."""
    factor = torch.from_numpy(matrix).to(data.dtype).to(data.device)
    return torch.movedim(torch.movedim(data, dim, -1) @ factor.T, -1, dim)


def _is_even(k: np.ndarray) -> bool:
    steps = np.diff(k)
    return bool(np.ptp(steps) < UNEVEN * abs(steps.mean()))


def _even(along: np.ndarray, fov: float) -> np.ndarray:
    """Evenly spaced positions that the samples of lines span, in rising order [cycles/m].

    Unevenly sampled lines span half a spacing beyond their first and last sample, as even ones do.
    """
    k = np.sort(along, axis=1).mean(axis=0)
    if all(_is_even(line) for line in along[:2]):
        return np.linspace(k[0], k[-1], k.size)
    low, high = (3 * k[0] - k[1]) / 2, (3 * k[-1] - k[-2]) / 2
    count = max(round((high - low) * fov), 2)
    even: np.ndarray = (low + high) / 2 + (np.arange(count) - (count - 1) / 2) / fov
    return even


def _step(positions: np.ndarray) -> float:
    return float(positions[-1] - positions[0]) / (positions.size - 1) if positions.size > 1 else np.inf


def _notes(plan: CartesianPlan) -> tuple[str, ...]:
    """What the samples leave open."""
    notes = []
    for axis, grid in sorted(plan.grids.items()):
        if grid.taken < grid.count:
            missing = grid.count - grid.taken
            notes.append(f"{missing} of {grid.count} places along {AXES[axis]} are never sampled and count as zero.")
    for axis, step in enumerate(plan.steps):
        if np.isfinite(step) and step * plan.fov[axis] > 1 + UNEVEN:
            notes.append(
                f"Lines are {step * plan.fov[axis]:.3g} cells apart along {AXES[axis]}: what lies beyond "
                f"{1 / step:.3g} m folds into the image."
            )
    return tuple(notes)
