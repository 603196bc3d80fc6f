"""Images in and maps out: a 4-D NIfTI series as voxels with a spectrum each, and NIfTI maps on the same grid.

Nothing but this file imports nibabel, which is an optional extra.  Maps carry the affine of the series, are NaN outside
the mask, and are written whole or not at all.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import SpinloomError
from spinloom.whole_file import write_whole

_SAME_PLACE = 1e-3
"""Affines that differ by no more than this are the same [mm]."""


class ImageError(SpinloomError):
    """An image that cannot be read, or that does not fit the others."""


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
    volume, affine = _read(path)
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
    volume, affine = _read(path)
    if volume.shape != grid.inside.shape:
        raise ImageError(f"{path} has shape {volume.shape}, the series {grid.inside.shape}; resample it to the series.")
    if not np.allclose(affine, grid.affine, rtol=0, atol=_SAME_PLACE):
        raise ImageError(f"{path} lies elsewhere than the series (another affine); resample it to the series.")
    return volume


def write_map(path: str | Path, grid: Grid, values: Tensor) -> None:
    """Write values of the voxels inside, shape `(voxels,)` or `(voxels, measurements)`, as `.nii` or `.nii.gz`."""
    nibabel = _nibabel()
    image = nibabel.Nifti1Image(grid.volume(values), grid.affine)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    write_whole(path, gzip.compress(content, mtime=0) if str(path).endswith(".gz") else content)


def _read(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Values and affine of a NIfTI image."""
    nibabel = _nibabel()
    if not Path(path).is_file():
        raise ImageError(f"There is no image {path}; name a .nii or .nii.gz file.")
    try:
        image = nibabel.load(path)
        if not isinstance(image, nibabel.Nifti1Pair):
            raise ImageError(f"{path} is no NIfTI image but {type(image).__name__}; convert it to .nii or .nii.gz.")
        values = np.asanyarray(image.dataobj)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise ImageError(f"{path} cannot be read as a NIfTI image ({error}); write it anew.") from error
    if values.dtype.kind not in "iufb":
        raise ImageError(
            f"{path} holds values of type {values.dtype}; a series is of real numbers, so take magnitudes."
        )
    return values, np.asarray(image.affine, dtype=np.float64)


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise ImageError("NIfTI images need nibabel; install it with: pip install 'spinloom[images]'") from error
    return nibabel
