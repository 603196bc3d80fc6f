"""Images as NIfTI: magnitudes of all frames, and complex images of every coil, in the place of the gradient axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinloom.nifti import write_nifti
from spinloom.reconstruction.image import Image

_MILLIMETRE = 1e-3


def write_magnitude(path: str | Path, image: Image) -> None:
    """Write the magnitude as `.nii` or `.nii.gz`, float32, axes x, y, z and, where there are several, frames.

    Coils are combined by the root of their sum of squares.  Raises `ImageError` without nibabel and `OutputError` where
    it cannot be written.
    """
    magnitude = image.magnitude.detach().cpu().numpy().astype(np.float32)
    write_nifti(path, _in_nifti_order(magnitude), affine_of(image))


def write_complex(path: str | Path, image: Image) -> None:
    """Write the complex images of all coils, complex64, axes x, y, z, frames and, where there are several, coils.

    Raises as `write_magnitude` does.
    """
    data = image.data.detach().cpu().numpy().astype(np.complex64)
    coils = np.stack([_with_frames(data[:, coil]) for coil in range(data.shape[1])], axis=-1)
    write_nifti(path, coils[..., 0] if coils.shape[-1] == 1 else coils, affine_of(image))


def affine_of(image: Image) -> np.ndarray:
    """From voxel numbers along x, y, z to millimetres; voxel n // 2 is at 0, shape `(4, 4)`."""
    affine = np.eye(4)
    for axis, size in enumerate(image.voxel):
        affine[axis, axis] = size / _MILLIMETRE
        affine[axis, 3] = image.positions(axis)[0] / _MILLIMETRE
    return affine


def _in_nifti_order(frames: np.ndarray) -> np.ndarray:
    ordered = _with_frames(frames)
    return ordered[..., 0] if ordered.shape[-1] == 1 else ordered


def _with_frames(frames: np.ndarray) -> np.ndarray:
    """From `(frames, z, y, x)` to `(x, y, z, frames)`."""
    return np.ascontiguousarray(frames.transpose(3, 2, 1, 0))
