"""Images and maps as pictures, on axes in millimetres.

A single image shows its magnitude and its phase; several frames show their magnitudes on one scale.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from spinloom.evaluation.canvas import INK, colour_bar, heading, map_axes, panels
from spinloom.reconstruction.image import Image

MOST_FRAMES = 12
"""Frames drawn; of more, so many at even distances."""

_COLUMNS = 4
_FAINT = 0.02
"""Below this share of the largest magnitude no phase is drawn."""


def draw_image(image: Image, names: Sequence[str] = ()) -> Figure:
    """Magnitude and phase of a single frame, or the magnitudes of up to `MOST_FRAMES`; the middle plane of a volume.

    names: of the frames; without them their labels
    """
    magnitude = image.magnitude.detach().cpu().numpy()
    plane = magnitude.shape[1] // 2
    if magnitude.shape[0] > 1:
        return _draw_frames(image, magnitude[:, plane], names)
    shown = magnitude[0, plane]
    phase = np.angle(image.data[0, 0, plane].detach().cpu().numpy())
    phase = np.where(shown > _FAINT * shown.max(), phase, np.nan)
    figure, places = panels(1, 2, 2.5)
    drawn = places[0].imshow(shown, cmap="gray", origin="lower", extent=_extent(image), vmin=0)
    heading(places[0], "Magnitude / M₀")
    colour_bar(figure, places[0], drawn)
    drawn = places[1].imshow(phase, cmap="twilight", origin="lower", extent=_extent(image), vmin=-math.pi, vmax=math.pi)
    heading(places[1], "Phase [rad]" if image.data.shape[1] == 1 else "Phase, coil 1 [rad]")
    colour_bar(figure, places[1], drawn)
    for axes in places:
        map_axes(axes, "x [mm]", "y [mm]")
    return figure


def plot_maps(maps: Mapping[str, np.ndarray], fov: tuple[float, float, float], signed: Container[str] = ()) -> Figure:
    """Maps beside each other, two a row, each with its own scale.

    maps: by the title of each, of shape `(y, x)`, NaN where there is nothing to say
    fov: extent along x, y, z [m]
    signed: titles of maps in which zero is the middle of the scale
    """
    columns = min(2, len(maps))
    figure, places = panels(math.ceil(len(maps) / columns), columns, 2.5)
    for axes, (title, values) in zip(places, maps.items(), strict=False):
        reach = float(np.nanquantile(np.abs(values), 0.995)) if np.isfinite(values).any() else 1.0
        low, colors = (-reach, "PuOr_r") if title in signed else (0.0, "viridis")
        extent = (*_edges(fov[0], values.shape[1]), *_edges(fov[1], values.shape[0]))
        shown = axes.imshow(values, cmap=colors, origin="lower", extent=extent, vmin=low, vmax=reach or 1.0)
        heading(axes, title)
        map_axes(axes, "x [mm]", "y [mm]")
        colour_bar(figure, axes, shown)
    for axes in places[len(maps) :]:
        axes.set_axis_off()
    return figure


def _draw_frames(image: Image, magnitude: np.ndarray, names: Sequence[str]) -> Figure:
    count = magnitude.shape[0]
    picked = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int))
    columns = min(_COLUMNS, picked.size)
    figure, places = panels(math.ceil(picked.size / columns), columns, 4.8 / columns + 0.2)
    largest = magnitude.max()
    for axes, frame in zip(places, picked, strict=False):
        shown = axes.imshow(
            magnitude[frame], cmap="gray", origin="lower", extent=_extent(image), vmin=0, vmax=largest or 1.0
        )
        labels = ", ".join(f"{name} {values[frame]}" for name, values in image.frames.items())
        axes.set_title(names[frame] if names else labels or f"Frame {frame + 1}", fontsize=8, color=INK, pad=3)
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in places[picked.size :]:
        axes.set_axis_off()
    colour_bar(figure, places, shown, "Magnitude / M₀")
    return figure


def _extent(image: Image) -> tuple[float, float, float, float]:
    """Left, right, bottom and top edge of the image [mm]."""
    rows, columns = image.data.shape[3:]
    return *_edges(image.fov[0], columns), *_edges(image.fov[1], rows)


def _edges(fov: float, count: int) -> tuple[float, float]:
    """Where `count` voxels begin and end, number `count // 2` at the origin [mm]."""
    size = 1e3 * fov / count
    return -(count // 2 + 0.5) * size, (count - count // 2 - 0.5) * size
