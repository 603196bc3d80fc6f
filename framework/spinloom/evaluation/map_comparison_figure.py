"""Two folders of maps in one picture: a row a map, the first, the second, and their difference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from spinloom.evaluation.canvas import GREY, WIDTH_INCH, heading
from spinloom.evaluation.wording import MINUS

_SHOWN = (0.02, 0.98)
"""Quantiles of the second map between which colours are spread."""


def draw_map_comparison(names: tuple[str, str], volumes: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """The slice that holds most voxels, x to the right and y upwards; both maps of a row in the same colours.

    names: of the two sides
    volumes: pairs of maps by name, shape `(x, y, z)`, NaN outside
    """
    layout = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06, hspace=0.05)
    figure = Figure(figsize=(1.5 * WIDTH_INCH, 2.6 * len(volumes)), layout=layout, facecolor="white")
    rows = figure.subplots(len(volumes), 3, squeeze=False)
    for panels, (name, pair) in zip(rows, volumes.items(), strict=True):
        place = int(np.isfinite(pair[1]).sum(axis=(0, 1)).argmax())
        first, second = (volume[:, :, place].T for volume in pair)
        low, high = np.nanquantile(second, _SHOWN)
        apart = first - second
        widest = float(np.nanmax(np.abs(apart))) or 1.0
        titles = (f"{name}\n{names[0]}", f"\n{names[1]}", f"\nfirst {MINUS} second")
        colours = (("viridis", low, high), ("viridis", low, high), ("RdBu_r", -widest, widest))
        for axes, picture, title, (map_name, least, most) in zip(
            panels, (first, second, apart), titles, colours, strict=True
        ):
            axes.set_axis_off()
            heading(axes, title)
            drawn = axes.imshow(picture, origin="lower", cmap=map_name, vmin=least, vmax=most, interpolation="nearest")
            bar = figure.colorbar(drawn, ax=axes, shrink=0.85)
            bar.ax.tick_params(labelsize=8, labelcolor=GREY, length=0)
            bar.ax.ticklabel_format(useOffset=False)
            bar.outline.set_visible(False)
    return figure
