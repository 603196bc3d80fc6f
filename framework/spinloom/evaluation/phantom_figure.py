"""A phantom as a picture: every map with its unit and scale, on axes in millimetres.

A plane is drawn as it is, a volume as its three planes through the origin.  Relaxation times are left out where there
is no magnetisation, and their colours end where few voxels are left; maps of one value are told in words.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, LinearSegmentedColormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from spinloom.evaluation.canvas import BLUE, GREY, INK, ORANGE, heading
from spinloom.evaluation.phantom_maps import Kind, ShownMap, constants, shown_maps
from spinloom.tissue.phantom import AXES, Phantom

_DIVERGING = LinearSegmentedColormap.from_list("blue to orange", [BLUE, "#f7f7f5", ORANGE])
_LABELS = ("#f2efe6", "#8ea3b8", "#0b5394", "#d9730d", "#6b4fa0", "#2f855a", "#b83280", "#8a6d1a")
_NOTHING = "#e4e7eb"
"""Where a map says nothing."""

_WIDE = 2.5
"""Times that span a larger factor are drawn on a logarithmic scale."""

_COLUMNS = 3
"""Maps of a plane beside each other."""

_BY = " \N{MULTIPLICATION SIGN} "
_PLANES = (("x", "y", "z"), ("x", "z", "y"), ("y", "z", "x"))
"""Of a volume: the axis to the right, the one upwards, and the one that is cut."""


def draw_phantom(phantom: Phantom) -> Figure:
    """All maps of a phantom, with colour bars and units, and its name, extent and grid above."""
    maps = shown_maps(phantom)
    planes = _PLANES if phantom.shape[0] > 1 else _PLANES[:1]
    across = len(planes) if len(planes) > 1 else _columns(len(maps))
    rows = -(-len(maps) * len(planes) // across)
    layout = ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05, hspace=0.03, wspace=0.02)
    figure = Figure(figsize=(3.0 * across + 0.4, 0.8 + 2.55 * rows), layout=layout, facecolor="white")
    panels = figure.subplots(rows, across, squeeze=False).flatten().tolist()
    for place, item in enumerate(maps):
        own = panels[place * len(planes) : (place + 1) * len(planes)]
        for axes, directions in zip(own, planes, strict=True):
            _draw_plane(axes, phantom, item, directions)
        heading(own[0], item.title)
        _draw_scale(figure, own, item)
    for axes in panels[len(maps) * len(planes) :]:
        axes.set_axis_off()
    figure.suptitle(_caption(phantom), fontsize=10, color=GREY, x=0.01, ha="left")
    return figure


def _columns(maps: int) -> int:
    """Maps beside each other; four stand better two by two."""
    return maps if maps < _COLUMNS else (2 if maps == 4 else _COLUMNS)


def _caption(phantom: Phantom) -> str:
    fov, voxel = (_BY.join(f"{1e3 * length:.3g}" for length in lengths) for lengths in (phantom.fov, phantom.voxel))
    counts = _BY.join(str(count) for count in reversed(phantom.shape))
    lines = [f"{phantom.name}: field of view {fov} mm", f"{counts} voxels of {voxel} mm"]
    if alike := constants(phantom):
        lines.append(f"Everywhere alike: {', '.join(alike)}")
    return "\n".join(lines)


def _draw_plane(axes: Axes, phantom: Phantom, item: ShownMap, directions: tuple[str, str, str]) -> None:
    """One plane through the voxel at the origin."""
    across, up, cut = directions
    place = 2 - AXES.index(cut)
    picture = np.take(item.values, item.values.shape[place] // 2, axis=place)
    (left, right), (bottom, top) = (_edges(phantom, axis) for axis in (across, up))
    axes.set_facecolor(_NOTHING)
    axes.imshow(
        picture,
        extent=(left, right, bottom, top),
        origin="lower",
        cmap=_colors(item),
        norm=_scale(item),
        interpolation="nearest",
    )
    axes.tick_params(labelsize=7, labelcolor=GREY, color=GREY, length=2, pad=2)
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_xlabel(f"{across} [mm]", fontsize=7, color=GREY, labelpad=1)
    axes.set_ylabel(f"{up} [mm]", fontsize=7, color=GREY, labelpad=1)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _edges(phantom: Phantom, axis: str) -> tuple[float, float]:
    """Where the grid begins and ends along `axis` [mm]."""
    places, half = 1e3 * phantom.positions(axis), 500 * phantom.voxel[AXES.index(axis)]
    return float(places[0]) - half, float(places[-1]) + half


def _draw_scale(figure: Figure, row: list[Axes], item: ShownMap) -> None:
    """The colour bar at the right end of a map's planes."""
    colors = ScalarMappable(_scale(item), _colors(item))
    extend = "max" if item.goes_beyond else "neither"
    bar = figure.colorbar(colors, ax=row, shrink=0.85, aspect=18, pad=0.02, extend=extend)
    bar.ax.tick_params(labelsize=8, labelcolor=INK, length=0)
    bar.outline.set_visible(False)
    if item.kind is Kind.LABEL:
        bar.set_ticks(range(len(item.names)), labels=[name.replace(" ", "\n") for name in item.names])
        bar.minorticks_off()
    elif isinstance(colors.norm, LogNorm):
        bar.locator = LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if item.high < 10 * item.low else (1.0, 2.0, 5.0))
        bar.formatter = FuncFormatter(lambda value, _: f"{value:g}")
        bar.minorticks_off()
        bar.update_ticks()


def _scale(item: ShownMap) -> Normalize:
    if item.kind is Kind.LABEL:
        return BoundaryNorm(np.arange(len(item.names) + 1) - 0.5, len(item.names))
    wide = item.kind is Kind.TIME and item.low > 0 and item.high > _WIDE * item.low
    return LogNorm(item.low, item.high) if wide else Normalize(item.low, item.high)


def _colors(item: ShownMap) -> str | Colormap:
    if item.kind is Kind.LABEL:
        return ListedColormap([_LABELS[label % len(_LABELS)] for label in range(len(item.names))])
    colors: dict[Kind, str | Colormap] = {Kind.AMOUNT: "gray", Kind.TIME: "viridis", Kind.DEVIATION: _DIVERGING}
    return colors[item.kind]
