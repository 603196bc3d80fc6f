"""Cartesian images: the plain sum over lines and samples, one axis after the other, each as a matrix product.

image(r) = sum over k of S(k) exp(-2 pi i (k - origin) r), times the encoded over the phantom's field of view.  Lines
stand where their moments put them, whatever their order and direction; those that are missing count as 0, and several
visits of one place are averaged.  Lines sampled unevenly (on the ramps of their gradient) are resampled first.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.interfaces import KSpace
from spinloom.reconstruction.cartesian_plan import UNEVEN, CartesianPlan, even_positions, is_even, spacing
from spinloom.reconstruction.fourier import resampling, transform
from spinloom.reconstruction.image import Image
from spinloom.reconstruction.lines import AXES

ALIKE = 1e-3
"""Lines whose ends differ by less than this part of a cell are sampled alike."""


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
    if is_even(k):
        return transform(k - origin, places, spacing(np.sort(k)), extent)
    even = even_positions(k[None], fov)
    return transform(even - origin, places, spacing(even), extent) @ resampling(k, even, fov)


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
