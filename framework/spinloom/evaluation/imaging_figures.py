"""Images and k-space as pictures, on axes in millimetres and in cycles per metre.

A single image shows its magnitude and its phase; several frames show their magnitudes on one scale.  K-space shows the
samples where the trajectory took them, coloured by the logarithm of their magnitude.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from spinloom.evaluation.canvas import GREY, INK, heading
from spinloom.interfaces import KSpace
from spinloom.reconstruction.image import Image

MOST_FRAMES = 12
"""Frames drawn; of more, so many at even distances."""

_COLUMNS = 4
_DECADES = 4.0
"""Orders of magnitude of k-space that the colours tell apart."""


def draw_image(image: Image) -> Figure:
    """Magnitude and phase of a single frame, or the magnitudes of up to `MOST_FRAMES`; the middle plane of a volume."""
    magnitude = image.magnitude.detach().cpu().numpy()
    plane = magnitude.shape[1] // 2
    if magnitude.shape[0] > 1:
        return _draw_frames(image, magnitude[:, plane])
    figure, panels = _paper(1, 2, 3.0)
    shown = panels[0].imshow(magnitude[0, plane], cmap="gray", origin="lower", extent=_extent(image), vmin=0)
    heading(panels[0], "Magnitude / M₀")
    _scale(figure, panels[0], shown)
    phase = np.angle(image.data[0, 0, plane].detach().cpu().numpy())
    phase = np.where(magnitude[0, plane] > 0.02 * magnitude[0, plane].max(), phase, np.nan)
    shown = panels[1].imshow(phase, cmap="twilight", origin="lower", extent=_extent(image), vmin=-math.pi, vmax=math.pi)
    heading(panels[1], "Phase [rad]" if image.data.shape[1] == 1 else "Phase of the first coil [rad]")
    _scale(figure, panels[1], shown)
    return figure


def _draw_frames(image: Image, magnitude: np.ndarray) -> Figure:
    count = magnitude.shape[0]
    picked = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int))
    columns = min(_COLUMNS, picked.size)
    rows = math.ceil(picked.size / columns)
    figure, panels = _paper(rows, columns, 1.7)
    for axes, frame in zip(panels, picked, strict=False):
        shown = axes.imshow(
            magnitude[frame], cmap="gray", origin="lower", extent=_extent(image), vmin=0, vmax=magnitude.max()
        )
        names = ", ".join(f"{name} {values[frame]}" for name, values in image.frames.items())
        axes.set_title(names or f"Frame {frame + 1}", fontsize=8, color=INK, pad=3)
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in panels[picked.size :]:
        axes.set_axis_off()
    _scale(figure, panels[: picked.size], shown)
    return figure


def draw_kspace(kspace: KSpace) -> Figure:
    """Samples of the first coil along the two axes on which the trajectory moves most."""
    reach = np.ptp(kspace.trajectory, axis=0) if kspace.trajectory.size else np.zeros(3)
    across, up = sorted(np.argsort(reach, kind="stable")[-2:].tolist())
    strength = kspace.samples[0].detach().abs().cpu().numpy()
    largest = float(strength.max(initial=0.0)) or 1.0
    figure, (axes,) = _paper(1, 1, 3.6)
    shown = axes.scatter(
        kspace.trajectory[:, across],
        kspace.trajectory[:, up],
        c=np.maximum(strength, largest * 10**-_DECADES),
        s=max(0.2, 2e4 / max(strength.size, 1000)),
        marker="s",
        linewidths=0,
        cmap="magma",
        norm=LogNorm(largest * 10**-_DECADES, largest),
        rasterized=True,
    )
    axes.set_facecolor("black")
    heading(axes, "|S| / M₀")
    axes.set_xlabel(f"k{'xyz'[across]} [1/m]", fontsize=9, color=INK)
    axes.set_ylabel(f"k{'xyz'[up]} [1/m]", fontsize=9, color=INK)
    if reach[across] > 0 and reach[up] > 0:
        axes.set_aspect("equal", adjustable="datalim")
    _scale(figure, axes, shown)
    return figure


def _paper(rows: int, columns: int, inch: float) -> tuple[Figure, list[Axes]]:
    layout = ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05, hspace=0.02, wspace=0.02)
    figure = Figure(figsize=((inch + 0.4) * columns, inch * rows + 0.2), layout=layout, facecolor="white")
    panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in panels:
        axes.tick_params(labelsize=8, labelcolor=GREY, color=GREY, length=2)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure, panels


def _extent(image: Image) -> tuple[float, float, float, float]:
    """Left, right, bottom and top edge of the image [mm]."""
    edges = []
    for axis in (0, 1):
        places, size = image.positions(axis), image.voxel[axis]
        edges += [1e3 * (places[0] - size / 2), 1e3 * (places[-1] + size / 2)]
    left, right, bottom, top = edges
    return left, right, bottom, top


def _scale(figure: Figure, axes: Axes | list[Axes], shown: object) -> None:
    bar = figure.colorbar(shown, ax=axes, fraction=0.045, pad=0.02)  # type: ignore[arg-type]
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, labelcolor=GREY, color=GREY, length=2)


def plot_maps(maps: Mapping[str, np.ndarray], fov: tuple[float, float, float], signed: Container[str] = ()) -> Figure:
    """Maps beside each other, each with its own scale.

    maps: by the title of each, of shape `(y, x)`, NaN where there is nothing to say
    fov: extent along x, y, z [m]
    signed: titles of maps in which zero is the middle of the scale
    """
    figure, panels = _paper(1, len(maps), 2.6)
    x, y = (500 * extent for extent in fov[:2])
    for axes, (title, values) in zip(panels, maps.items(), strict=True):
        reach = float(np.nanquantile(np.abs(values), 0.995)) if np.isfinite(values).any() else 1.0
        low, colors = (-reach, "PuOr_r") if title in signed else (0.0, "viridis")
        axes.set_facecolor("#e4e7eb")
        shown = axes.imshow(values, cmap=colors, origin="lower", extent=(-x, x, -y, y), vmin=low, vmax=reach or 1.0)
        heading(axes, title)
        _scale(figure, axes, shown)
    return figure
