"""Quantification as pictures: a spectrum with what the fit makes of it, and maps of one slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from spinloom.evaluation.canvas import BLUE, GREY, INK, ORANGE, WIDTH_INCH, axis_name, blank, heading

_COLUMNS = 3
"""Maps beside each other."""

_TINTS = ("#d9730d", "#6b4fa0", "#2f855a", "#b83280", "#8a6d1a", "#2b6cb0", "#4a5568", "#9b2c2c")
"""Colours of the pools' lines, in their order."""

_SHOWN = (0.02, 0.98)
"""Quantiles of a map between which its colours are spread, so that few odd voxels do not take them all."""


def draw_fit(offset_ppm: np.ndarray, z: Tensor, curves: Tensor, lines: Mapping[str, Tensor]) -> Figure:
    """Data and fit of the voxel whose residual is the median one, the lines of pools below where there are any.

    offset_ppm: shape `(offsets,)`
    z, curves: data and fit, shape `(voxels, offsets)`; at least one voxel is finite
    lines: what each pool takes away, by name, same shape
    """
    voxel = _typical(z, curves)
    order = np.argsort(offset_ppm, kind="stable")
    x = offset_ppm[order]
    measured, fitted = (part[voxel].detach().numpy()[order] for part in (z, curves))
    figure, panels = blank(5.6, (2.0, 1.3, 0.7)) if lines else blank(4.4, (2.0, 0.7))
    heading(panels[0], "Z: data and fit")
    panels[0].plot(x, measured, linestyle="", marker="o", markersize=3.6, color=BLUE)
    panels[0].plot(x, fitted, color=ORANGE, linewidth=1.5)
    if lines:
        _draw_lines(panels[1], x, {name: values[voxel].detach().numpy()[order] for name, values in lines.items()})
    heading(panels[-1], "Data minus fit [%]")
    panels[-1].axhline(0, color=GREY, linewidth=0.8)
    panels[-1].plot(x, 100 * (measured - fitted), color=BLUE, linewidth=1.0)
    axis_name(panels[-1], "Saturation offset [ppm]")
    panels[-1].invert_xaxis()
    return figure


def _draw_lines(axes: Axes, x: np.ndarray, lines: Mapping[str, np.ndarray]) -> None:
    """The lines of the pools beside water at their own scale; water runs out at the top."""
    heading(axes, "What each pool takes away")
    for (name, values), color in zip(lines.items(), _TINTS * len(lines), strict=False):
        axes.plot(x, values, color=color, linewidth=1.5, label=name)
        axes.fill_between(x, values, color=color, alpha=0.12, linewidth=0)
    others = [values.max() for name, values in lines.items() if name != "water"]
    axes.set_ylim(0, 1.5 * max(others) if others else None)
    axes.legend(fontsize=9, frameon=False, labelcolor=INK, ncols=2, loc="upper left")


def draw_maps(volumes: Mapping[str, np.ndarray]) -> Figure:
    """The slice that holds most voxels of each map, x to the right and y upwards.

    volumes: by name, shape `(x, y, z)`, NaN outside
    """
    rows = -(-len(volumes) // _COLUMNS)
    layout = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06, hspace=0.05)
    figure = Figure(figsize=(1.5 * WIDTH_INCH, 2.4 * rows), layout=layout, facecolor="white")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).flatten().tolist()
    for axes in panels:
        axes.set_axis_off()
    first = next(iter(volumes.values()))
    place = int(np.isfinite(first).sum(axis=(0, 1)).argmax())
    for axes, (name, volume) in zip(panels, volumes.items(), strict=False):
        heading(axes, name)
        picture = volume[:, :, place].T
        finite = picture[np.isfinite(picture)]
        low, high = np.quantile(finite, _SHOWN) if finite.size else (0.0, 1.0)
        drawn = axes.imshow(picture, origin="lower", cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
        bar = figure.colorbar(drawn, ax=axes, shrink=0.85)
        bar.ax.tick_params(labelsize=8, labelcolor=GREY, length=0)
        bar.outline.set_visible(False)
    return figure


def _typical(z: Tensor, curves: Tensor) -> int:
    """The voxel whose root mean square residual is the median one."""
    residual = (z - curves).square().mean(dim=-1)
    finite = residual.isfinite().nonzero()[:, 0]
    return int(finite[residual[finite].argsort()[finite.numel() // 2]])
