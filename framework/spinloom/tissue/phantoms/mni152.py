"""The MNI152 brain that nilearn ships: white and grey matter as maps of 1 mm, and the T1-weighted image of both.

The images lie inside nilearn's wheel (ICBM 152 2009a, averages over 152 people, without skull); they are read as
files, so that nilearn itself is never imported and nothing is fetched.  What is neither white nor grey inside the
brain is CSF.  Coordinates are MNI's: millimetres to the right, front and top.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, grid_sample, interpolate, pad

from spinloom.errors import TissueError
from spinloom.nifti import read_nifti

MIDDLE_MM = (0.0, -17.0, 5.0)
"""Middle of the brain's bounding box."""

_CORNER_MM = (-98.0, -134.0, -72.0)
"""MNI coordinates of the images' first voxel."""

_SHADING_MM = 16

_TEXTURE_CUT = 2.5
"""Contrast within a tissue is cut at so many standard deviations."""


@dataclass(frozen=True, eq=False)
class Template:
    """Maps of 1 mm around the brain.

    channels: fractions of white matter, grey matter and CSF, and the contrast that the T1-weighted image has within
        tissues, between -1 (dark) and 1; float32, shape `(4, z, y, x)`
    first_mm: MNI coordinates of the first voxel, x, y, z
    """

    channels: Tensor
    first_mm: tuple[float, float, float]

    def sample(self, places_mm: Tensor) -> Tensor:
        """Channels at MNI coordinates of shape `(z, y, x, 3)`, 0 outside, by linear interpolation; `(4, z, y, x)`."""
        counts = torch.tensor(list(reversed(self.channels.shape[1:])))
        at = 2 * (places_mm - torch.tensor(self.first_mm)) / (counts - 1) - 1
        return grid_sample(self.channels[None], at[None].to(self.channels.dtype), align_corners=True)[0]


@lru_cache(maxsize=1)
def mni152() -> Template:
    """The template; `TissueError` where nilearn is not installed or has no such files."""
    images = [_image(kind) for kind in ("wm", "gm", "t1")]
    edges = [_extent(images[2], axis) for axis in range(3)]
    white, grey, weighted = (_framed(image, edges) for image in images)
    inside = weighted > 0
    channels = torch.zeros((4, *inside.shape))
    channels[:3] = torch.stack([white, grey, (1 - white - grey).clamp(min=0)]) * inside
    channels[:3] /= channels[:3].sum(dim=0).clamp(min=1)
    channels[3] = _contrast(channels[:3], weighted, inside)
    x, y, z = (low - 1 + corner for (low, _), corner in zip(edges, _CORNER_MM, strict=True))
    return Template(channels, (x, y, z))


def _contrast(fractions: Tensor, weighted: Tensor, inside: Tensor) -> Tensor:
    """What the weighted image shows beyond three tissues of one brightness each, in -1..1.

    Left out is what changes slowly, over some `3 * _SHADING_MM`: the shading of the coils that took it.
    """
    parts = fractions[:, inside]
    brightness = torch.linalg.solve(parts @ parts.T, parts @ weighted[inside])
    rest = (weighted - torch.tensordot(brightness, fractions, dims=1)) * inside
    both = avg_pool3d(torch.stack([rest, inside.float()])[:, None], _SHADING_MM, ceil_mode=True)
    shading, share = avg_pool3d(both, 3, stride=1, padding=1)[:, 0]
    smooth = interpolate((shading / share.clamp(min=1e-6))[None, None], scale_factor=_SHADING_MM, mode="trilinear")[
        0, 0
    ]
    z, y, x = rest.shape
    rest = rest - smooth[:z, :y, :x]
    return (rest / (_TEXTURE_CUT * rest[inside].std())).clamp(-1, 1) * inside


def _image(kind: str) -> np.ndarray:
    """One of nilearn's images, from 0 to 255, axes x, y, z."""
    found = find_spec("nilearn")
    if found is None or not found.submodule_search_locations:
        raise TissueError(
            "The brain needs the MNI152 images that nilearn ships; install them with: pip install 'spinloom[brain]'"
        )
    folder = Path(next(iter(found.submodule_search_locations))) / "datasets" / "data"
    path = folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    if not path.is_file():
        raise TissueError(f"The installed nilearn ships no {path.name}; install a version from 0.10, such as 0.14.")
    return read_nifti(path)[0]


def _framed(image: np.ndarray, edges: list[tuple[int, int]]) -> Tensor:
    """The part within the edges with an empty voxel around it, from 0 to 1, axes z, y, x, float32."""
    part = image[tuple(slice(low, high) for low, high in edges)].T
    return pad(torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) / 255, [1] * 6)


def _extent(image: np.ndarray, axis: int) -> tuple[int, int]:
    """First index along `axis` where the image is not 0, and the first beyond."""
    present = np.flatnonzero(image.any(axis=tuple({0, 1, 2} - {axis})))
    return int(present[0]), int(present[-1]) + 1
