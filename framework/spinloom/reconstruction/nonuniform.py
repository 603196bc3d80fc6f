"""Images from samples anywhere in k-space, by finufft's transforms: the one door to finufft, an optional extra.

image(r) = sum over samples of a(k) S(k) exp(-2 pi i (k - origin) r), times the phantom's field of view, where a(k) is
the part of k-space that a sample stands for.  It comes from the fixed point a = a / (a * psi) of Pipe and Menon (Magn
Reson Med 41:179, 1999) with psi(k) = sinc(k FOV)^2, normalised: the density of samples, seen at the resolution of the
field of view, becomes 1.  Approximate where density changes within 1 / FOV, as at the rim, which counts a quarter of a
cell beyond its samples: an image of N voxels across is too bright by 1 / (2 N) an axis.  Not differentiable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from spinloom.errors import ConfigurationError, SequenceError
from spinloom.interfaces import KSpace
from spinloom.reconstruction.frames import CONTRASTS, SLICE
from spinloom.reconstruction.grids import SAME
from spinloom.reconstruction.image import Image

PRECISION = 1e-9
"""Relative error of the transforms."""

ITERATIONS = 30
"""Of the density; the areas of a radial disc change by 1e-3 in the last one."""


def nonuniform_matrix(k: np.ndarray, fov: np.ndarray) -> tuple[int, int, int]:
    """Voxels along x, y, z that samples at `k` [cycles/m] resolve, shape of k `(samples, 3)`; 1 where not encoded."""
    reach, axes = np.abs(k).max(axis=0) * fov, encoded_axes(k, fov)
    x, y, z = (2 * math.ceil(reach[axis] - SAME) if axis in axes else 1 for axis in range(3))
    return x, y, z


def encoded_axes(k: np.ndarray, fov: np.ndarray) -> list[int]:
    """The axes along which samples at `k` reach half a cycle over the field of view."""
    return [axis for axis in range(3) if np.ptp(k[:, axis]) * fov[axis] > 0.5]


def nonuniform_image(
    kspace: KSpace,
    events: np.ndarray,
    fov: np.ndarray,
    matrix: tuple[int, int, int] | None,
    origin: np.ndarray,
    use_labels: bool,
) -> Image:
    """Grid the samples of the ADC `events` to an image a frame; raises `SequenceError` where they encode no axis."""
    chosen = np.isin(kspace.measurement, events)
    k = kspace.trajectory[chosen] - origin
    axes = encoded_axes(k, fov)
    if not axes:
        raise SequenceError("The samples lie at one point of k-space, so that no image can be made of them.")
    shape = matrix or nonuniform_matrix(k, fov)
    number, labels = _frames(kspace, events, use_labels)
    frame = number[np.searchsorted(events, kspace.measurement[chosen])]
    samples = kspace.samples.detach().cpu().numpy()[:, chosen].astype(np.complex128)
    images = [_image(samples[:, frame == each], k[frame == each], axes, shape, fov) for each in range(frame.max() + 1)]
    size = float(np.prod([kspace.fov[axis] for axis in axes]))
    data = torch.from_numpy(size * np.stack(images)).to(kspace.samples.dtype)
    x, y, z = (float(extent) for extent in fov)
    return Image(data, (x, y, z), labels, (f"{k.shape[0]} samples off any grid were gridded by density.",))


def _frames(kspace: KSpace, events: np.ndarray, use_labels: bool) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """Frame of each event, and the labels that tell frames apart."""
    names = [name for name in (SLICE, *CONTRASTS) if use_labels and name in kspace.labels]
    names = [name for name in names if np.ptp(kspace.labels[name][events]) > 0]
    if not names:
        return np.zeros(events.size, dtype=np.int64), {}
    rows = np.stack([kspace.labels[name][events] for name in names])
    distinct, number = np.unique(rows, axis=1, return_inverse=True)
    return number.reshape(-1), dict(zip(names, distinct, strict=True))


def _image(
    samples: np.ndarray, k: np.ndarray, axes: list[int], matrix: tuple[int, int, int], fov: np.ndarray
) -> np.ndarray:
    """One frame, shape `(coils, z, y, x)`."""
    modes = tuple(matrix[axis] for axis in axes)
    turns = [2 * np.pi * k[:, axis] * fov[axis] / matrix[axis] for axis in axes]
    weighted = np.ascontiguousarray(samples * sample_areas(k[:, axes], fov[axes]))
    image = _plan(1, modes, turns, samples.shape[0]).execute(weighted if samples.shape[0] > 1 else weighted[0])
    spread = [matrix[axis] if axis in axes else 1 for axis in range(3)]
    return np.transpose(image.reshape(-1, *spread), (0, 3, 2, 1))


def sample_areas(k: np.ndarray, fov: np.ndarray) -> np.ndarray:
    """Part of k-space that each sample stands for [(cycles/m)^axes], shape `(samples,)`; k: `(samples, axes)`."""
    half = np.ceil(np.abs(k).max(axis=0) * fov * 2).astype(int) + 1
    voxels = fov / half
    window = np.ones(())
    for count in half:
        window = np.multiply.outer(window, 1 - np.abs(np.arange(-count, count)) / count)
    turns = [2 * np.pi * column * size for column, size in zip(k.T, voxels, strict=True)]
    areas = np.full(k.shape[0], 1.0)
    modes = tuple(2 * count for count in half)
    forth, back = _plan(1, modes, turns), _plan(2, modes, turns)
    for _ in range(ITERATIONS):
        seen = back.execute(forth.execute(areas.astype(np.complex128)) * window).real * np.prod(voxels)
        areas = areas / seen
    return areas


def _plan(kind: int, modes: tuple[int, ...], turns: list[np.ndarray], rows: int = 1) -> Any:
    """A transform between samples at `turns` [rad] and modes n from -modes // 2 on.

    kind: 1 sums samples times exp(-i turns n), 2 sums modes times exp(+i turns n)
    """
    plan = _finufft().Plan(kind, modes, n_trans=rows, eps=PRECISION, isign=1 if kind == 2 else -1, dtype="complex128")
    plan.setpts(*(np.ascontiguousarray(turn) for turn in turns))
    return plan


def _finufft() -> Any:
    try:
        import finufft
    except ImportError as error:
        raise ConfigurationError(
            "These samples lie on no Cartesian grid, and gridding needs finufft; install it with: "
            "pip install 'spinloom[nufft]'"
        ) from error
    return finufft
