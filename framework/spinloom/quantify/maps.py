"""Images in and maps out: a 4-D NIfTI series as voxels with a spectrum each, and NIfTI maps on the same grid.

Maps carry the affine of the series, are NaN outside the mask, and are written whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spinloom.nifti import ImageError, read_nifti, same_place, write_nifti


@dataclass(frozen=True, eq=False)
class Grid:
    """Where voxels lie: the affine [mm], and which voxels of the grid are inside, boolean, shape `(x, y, z)`."""

    affine: np.ndarray
    inside: np.ndarray

    def volume(self, values: Tensor) -> np.ndarray:
        """Values of the voxels inside, shape `(voxels, ...)`, on the grid, NaN elsewhere, float32."""
        filled = np.full((*self.inside.shape, *values.shape[1:]), np.nan, dtype=np.float32)
        filled[self.inside] = values.detach().cpu().numpy()
        return filled

    def voxels(self, volume: np.ndarray) -> Tensor:
        """Values of the voxels inside, float64, shape `(voxels, ...)`."""
        return torch.from_numpy(np.ascontiguousarray(volume[self.inside], dtype=np.float64))


def read_series(path: str | Path, mask: str | Path | None = None) -> tuple[Grid, Tensor]:
    """The grid of a 4-D series, and its voxels of shape `(voxels, measurements)`.

    mask: 3-D image on the same grid; voxels where it is 0 are left out

    Raises `ImageError` for what is no such image.
    """
    volume, affine = read_nifti(path)
    if volume.ndim != 4:
        raise ImageError(f"{path} has shape {volume.shape}; a series has four axes: x, y, z and measurement.")
    grid = Grid(affine, np.ones(volume.shape[:3], dtype=bool))
    if mask is not None:
        chosen = read_map(mask, grid) != 0
        if not chosen.any():
            raise ImageError(f"The mask {mask} is 0 everywhere; give one that holds the voxels to quantify.")
        grid = Grid(affine, chosen)
    return grid, grid.voxels(volume)


def read_map(path: str | Path, grid: Grid) -> np.ndarray:
    """A 3-D image that lies on `grid`; `ImageError` for one of another shape or place."""
    volume, affine = read_nifti(path)
    if volume.shape != grid.inside.shape:
        raise ImageError(f"{path} has shape {volume.shape}, the series {grid.inside.shape}; resample it to the series.")
    if not same_place(affine, grid.affine):
        raise ImageError(f"{path} lies elsewhere than the series (another affine); resample it to the series.")
    return volume


def write_map(path: str | Path, grid: Grid, values: Tensor) -> None:
    """Write values of the voxels inside, shape `(voxels,)` or `(voxels, measurements)`, as `.nii` or `.nii.gz`."""
    write_nifti(path, grid.volume(values), grid.affine)
