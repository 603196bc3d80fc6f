"""NIfTI images in and out, as arrays with their affine: the one door to nibabel, which is an optional extra."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from spinloom.errors import SpinloomError
from spinloom.whole_file import write_whole

_SAME_PLACE = 1e-3
"""Affines that differ by no more than this are the same [mm]."""


class ImageError(SpinloomError):
    """An image that cannot be read, or that does not fit the others."""


def read_nifti(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Values of an image, real, axes x, y, z and further, and its affine [mm]; `ImageError` for what is no image."""
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


def write_nifti(path: str | Path, values: np.ndarray, affine: np.ndarray) -> None:
    """Write values as `.nii` or `.nii.gz`, whole or not at all; the same values give the same bytes.

    values: axes x, y, z and further
    affine: [mm], shape `(4, 4)`
    """
    nibabel = _nibabel()
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    write_whole(path, gzip.compress(content, mtime=0) if str(path).endswith(".gz") else content)


def same_place(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two affines [mm] put voxels at the same places."""
    return np.allclose(first, second, rtol=0, atol=_SAME_PLACE)


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise ImageError("NIfTI images need nibabel; install it with: pip install 'spinloom[images]'") from error
    return nibabel
