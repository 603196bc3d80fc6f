"""K-space of known objects, computed sample by sample from the definition of the transform, for tests of images.

S(k) = mean over voxels of M(r) exp(+2 pi i k r), voxel n // 2 of an axis at r = 0 (docs/conventions.md).
"""

from __future__ import annotations

import numpy as np
import torch

from spinloom.interfaces import KSpace

FOV = (0.2, 0.24, 0.1)


def places(count: int, fov: float) -> np.ndarray:
    """Centres of voxels about voxel `count // 2` [m]."""
    return (np.arange(count) - count // 2) * fov / count


def kspace_of(
    maps: np.ndarray,
    lines: list[np.ndarray],
    labels: dict[str, list[int]] | None = None,
    fov: tuple[float, float, float] = FOV,
) -> KSpace:
    """What coils receive of `maps` of shape `(coils, z, y, x)` along lines of k, each of shape `(samples, 3)`."""
    k = np.concatenate(lines) if lines else np.zeros((0, 3))
    z, y, x = (places(count, fov[axis]) for count, axis in zip(maps.shape[1:], (2, 1, 0), strict=True))
    samples = np.einsum(
        "czyx,sz,sy,sx->cs",
        maps / maps[0].size,
        *(np.exp(2j * np.pi * np.outer(k[:, axis], r)) for axis, r in ((2, z), (1, y), (0, x))),
        optimize=True,
    )
    return KSpace(
        samples=torch.from_numpy(samples),
        time=np.arange(k.shape[0]) * 1e-5,
        measurement=np.repeat(np.arange(len(lines)), [line.shape[0] for line in lines]),
        trajectory=k,
        labels={name: np.array(values) for name, values in (labels or {}).items()},
        fov=fov,
    )


def grid_line(
    along: np.ndarray, across: float = 0.0, through: float = 0.0, axes: tuple[int, int, int] = (0, 1, 2)
) -> np.ndarray:
    """A line of samples at `along` cycles over the field of view of the first of `axes`, at one place on the others."""
    line = np.zeros((along.size, 3))
    line[:, axes[0]] = along / FOV[axes[0]]
    line[:, axes[1:]] = across / FOV[axes[1]], through / FOV[axes[2]]
    return line


def centred(count: int) -> np.ndarray:
    """Whole numbers with 0 at place `count // 2`."""
    return np.arange(count) - count // 2


def random_maps(*shape: int) -> np.ndarray:
    """Complex maps of reproducible random numbers."""
    rng = np.random.default_rng(sum(shape))
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)
