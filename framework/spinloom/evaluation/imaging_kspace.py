"""K-space as a picture: the magnitude of the samples where the trajectory took them, on a logarithmic scale.

Each place shows the sample nearest to it and stays empty where none is near, so that lines, spirals and radii, and what
they leave out, are drawn alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from spinloom.evaluation.canvas import colour_bar, heading, map_axes, panels
from spinloom.interfaces import KSpace
from spinloom.reconstruction.image import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DECADES = 4.0
"""Orders of magnitude that the colours tell apart."""

_NEAR = 0.75
"""A place further from every sample than this many cells (1 / field of view), along either axis, is empty."""

_PLACES = 400
"""Places drawn along the longer axis."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw_kspace(kspace: KSpace, image: Image | None = None) -> Figure:
    """Samples of the first coil, and of the first frame, along the two axes on which they reach furthest.

    image: what was made of them, whose frames go by labels or by visits; None draws all samples as one

    Of a volume the plane through the centre is drawn.
    """
    taken = first_frame(kspace, image)
    cells = kspace.trajectory[taken] * kspace.fov
    reach = np.ptp(cells, axis=0) if taken.size else np.zeros(3)
    through, *plane = np.argsort(reach, kind="stable").tolist()
    across, up = sorted(plane)
    central = np.abs(cells[:, through]) < np.abs(cells[:, through]).min(initial=np.inf) + 0.5
    strength = kspace.samples[0].detach().abs().cpu().numpy()[taken]
    largest = float(strength.max(initial=0.0)) or 1.0
    picture, edges = _raster(cells[central][:, [across, up]], strength[central])
    left, right, bottom, top = edges / np.repeat([kspace.fov[across], kspace.fov[up]], 2)
    figure, (axes,) = panels(1, 1, 4.3)
    shown = axes.imshow(
        np.maximum(picture, largest * 10**-_DECADES),
        cmap="magma",
        norm="log",
        vmin=largest * 10**-_DECADES,
        vmax=largest,
        origin="lower",
        extent=(left, right, bottom, top),
        aspect="equal" if right - left < 4 * (top - bottom) < 16 * (right - left) else "auto",
        interpolation="nearest",
    )
    heading(axes, "|S| / M₀" if taken.size == kspace.time.size else "|S| / M₀, first image")
    map_axes(axes, f"k{'xyz'[across]} [1/m]", f"k{'xyz'[up]} [1/m]")
    colour_bar(figure, axes, shown)
    assert shown.colorbar is not None
    shown.colorbar.ax.yaxis.set_major_formatter(_power)
    return figure


def _power(value: float, position: float = 0.0) -> str:
    """A power of ten as text, which needs no typesetting."""
    return f"10{str(round(math.log10(value))).translate(_RAISED)}"


def first_frame(kspace: KSpace, image: Image | None) -> np.ndarray:
    """Indices of the samples that make up the first frame of `image`."""
    chosen = np.ones(kspace.measurements, dtype=bool)
    for name, values in (image.frames if image is not None else {}).items():
        if name in kspace.labels:
            chosen &= kspace.labels[name] == values[0]
        else:  # visits of the same places, one after the other
            chosen &= np.arange(kspace.measurements) < kspace.measurements / values.size
    return np.flatnonzero(chosen[kspace.measurement])


def _raster(cells: np.ndarray, strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest sample at every place, NaN where none is near, and the edges of the raster [cells]."""
    low, high = (cells.min(axis=0), cells.max(axis=0)) if cells.size else (np.zeros(2), np.zeros(2))
    low, high = low - 0.5, high + 0.5
    step = (high - low).max() / _PLACES
    counts = np.maximum(((high - low) / step).round().astype(int), 1)
    x, y = (low[axis] + (np.arange(counts[axis]) + 0.5) * (high - low)[axis] / counts[axis] for axis in (0, 1))
    places = np.stack(np.meshgrid(x, y), axis=-1)
    _, nearest = cKDTree(cells).query(places, p=np.inf, distance_upper_bound=_NEAR)
    picture = np.append(strength, np.nan)[nearest]
    return picture, np.array([low[0], high[0], low[1], high[1]])
