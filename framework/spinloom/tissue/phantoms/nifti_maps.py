"""Phantoms from and to NIfTI: a folder with one image a map, `t1.nii.gz` and so on.

The phantom's x, y, z are the image's first, second and third axis, and its voxels are as large as the affine says;
where the image lies in the scanner, and how it is turned there, is left out: voxel `n // 2` stands at the origin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import OutputError, TissueError, known_names
from spinloom.nifti import read_nifti, same_place, write_nifti
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.phantom_files import MAPS
from spinloom.whole_folder import whole_folder

_ENDINGS = (".nii", ".nii.gz")
_NAMES = tuple(name for name in MAPS if name != "coils")
_NEEDED = ("m0", "t1", "t2")
_OUTSIDE = {"m0": 0.0, "t1": 1.0, "t2": 1.0, "b0": 0.0, "b1": 1.0, "t2_prime": float("inf")}
"""What a voxel without M0 holds, and a map that is not there."""

_SECONDS = (30.0, "is in seconds, so divide milliseconds by 1000")
_LARGEST = {
    "t1": _SECONDS,
    "t2": _SECONDS,
    "t2_prime": _SECONDS,
    "b1": (10.0, "is relative to nominal, so divide percent by 100"),
}
"""A median beyond the number says that a map is in other units, and which are right."""


def is_nifti_folder(path: str | Path) -> bool:
    """Whether `path` is a folder with a NIfTI image in it."""
    return Path(path).is_dir() and bool(_images(Path(path)))


def read_nifti_maps(path: str | Path, dtype: torch.dtype = torch.float64) -> Phantom:
    """The phantom of a folder of images `m0`, `t1`, `t2` [s] and, if there, `b0` [Hz], `b1`, `t2_prime` [s].

    NaN stands for no value where M0 is 0 or NaN, as in the maps of `spinloom quantify`, and for an error elsewhere.

    Raises `TissueError` for an image that is missing, has another name or grid, or is in other units.
    """
    folder = Path(path)
    images = _images(folder)
    for name in _NEEDED:
        if name not in images:
            raise TissueError(f"{folder} has no map {name} ({name}.nii or {name}.nii.gz), which a phantom needs.")
    volumes, affine = _on_one_grid(images)
    outside = np.isnan(volumes["m0"]) | (volumes["m0"] == 0)
    maps = {name: np.where(outside, _OUTSIDE[name], volume) for name, volume in volumes.items()}
    for name, volume in maps.items():
        _refuse_units(images[name], name, volume[~outside])
    maps |= {name: np.full(outside.shape, _OUTSIDE[name]) for name in ("b0", "b1") if name not in maps}
    sizes = np.linalg.norm(affine[:3, :3], axis=0) * 1e-3
    x, y, z = (float(size * count) for size, count in zip(sizes, outside.shape, strict=True))
    tensors: dict[str, Any] = {name: _to_phantom(volume, dtype) for name, volume in maps.items()}
    return Phantom(folder.name, (x, y, z), **tensors)


def write_nifti_maps(phantom: Phantom, path: str | Path) -> None:
    """Write every map of a phantom as a `.nii.gz` in the new folder `path`, whole or not at all.

    Raises `OutputError` where the folder is taken, and for coils and pools, which no such image holds.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists; name another folder.")
    if phantom.coils is not None or phantom.pools is not None:
        raise OutputError(
            f"Phantom '{phantom.name}' has coils or pools, which NIfTI maps do not hold; write it to a name in .zarr."
        )
    affine = np.diag([*(1e3 * size for size in phantom.voxel), 1.0])
    counts = np.array(phantom.shape[::-1])
    affine[:3, 3] = 1e3 * np.array(phantom.centre) - np.diag(affine)[:3] * (counts // 2)
    with whole_folder(target) as folder:
        for name in _NAMES:
            if (values := getattr(phantom, name)) is not None:
                write_nifti(folder / f"{name}.nii.gz", values.detach().cpu().numpy().T, affine)


def _images(folder: Path) -> dict[str, Path]:
    """The images of a folder by the map that they are named after; another name is refused."""
    images: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        name = next((file.name.removesuffix(ending) for ending in reversed(_ENDINGS) if file.name.endswith(ending)), "")
        if not name:
            continue
        if name in images:
            raise TissueError(f"{folder} has two images of {name}, {images[name].name} and {file.name}; keep one.")
        images[name] = file
    return images


def _on_one_grid(images: dict[str, Path]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Every map, axes x, y, z, and the affine [mm] that they share."""
    for name, file in images.items():
        if name not in _NAMES:
            raise TissueError(f"{file} is named after no map of a phantom. {known_names(name, _NAMES)}")
    read = {name: read_nifti(file) for name, file in images.items()}
    volumes = {name: values.reshape(values.shape + (1,) * (3 - values.ndim)) for name, (values, _) in read.items()}
    wanted, affine = volumes["m0"].shape, read["m0"][1]
    for name, volume in volumes.items():
        if volume.ndim != 3:
            raise TissueError(f"{images[name]} has {volume.ndim} axes; a map has three: x, y and z.")
        if volume.shape != wanted:
            raise TissueError(f"{images[name]} has the shape {volume.shape}, m0 {wanted}; resample one of them.")
        if not same_place(read[name][1], affine):
            raise TissueError(f"{images[name]} lies elsewhere than m0 (another affine); resample one of them.")
    return {name: volume.astype(np.float64) for name, volume in volumes.items()}, affine


def _refuse_units(file: Path, name: str, values: np.ndarray) -> None:
    largest, meaning = _LARGEST.get(name, (np.inf, ""))
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    if largest < middle < np.inf:
        raise TissueError(f"{file} has the median {middle:g}; {name} {meaning}.")


def _to_phantom(volume: np.ndarray, dtype: torch.dtype) -> Tensor:
    """Axes z, y, x."""
    return torch.from_numpy(np.ascontiguousarray(volume.T)).to(dtype)
