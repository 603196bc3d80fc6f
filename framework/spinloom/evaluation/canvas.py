"""The paper that figures are drawn on: size, ink, type, colour bars, and the way out as SVG or PNG.

One palette: ink, grey and two hues of different lightness (blue dark, orange light), which stay apart in greyscale and
for colour-blind readers.  Figures are matplotlib objects without pyplot: no window, no global figure, nothing to
close.  The same figure always gives the same bytes.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from spinloom.errors import OutputError, known_names
from spinloom.whole_file import write_whole

INK, GREY, GRID = "#1f2933", "#616e7c", "#dfe3e8"
BLUE, ORANGE = "#0b5394", "#d9730d"

NOTHING = "#e4e7eb"
"""Where a map says nothing."""

WIDTH_INCH = 5.4
"""So narrow that 10 pt type is still read when the figure fills a phone."""


def blank(height_inch: float, rows: tuple[float, ...] = (1.0,)) -> tuple[Figure, list[Axes]]:
    """A figure with one panel a row, of the relative heights `rows`, that share their horizontal axis."""
    layout = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.04, hspace=0.03)
    figure = Figure(figsize=(WIDTH_INCH, height_inch), layout=layout, facecolor="white")
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=rows)[:, 0].tolist()
    for axes in panels:
        _rule(axes)
    return figure, panels


def panels(rows: int, columns: int, height_inch: float) -> tuple[Figure, list[Axes]]:
    """A figure for maps: `rows` times `columns` panels without frames, row by row, each row `height_inch` high."""
    layout = ConstrainedLayoutEngine(h_pad=0.04, w_pad=0.04, hspace=0.02, wspace=0.02)
    figure = Figure(figsize=(WIDTH_INCH, height_inch * rows), layout=layout, facecolor="white")
    places = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in places:
        axes.set_facecolor(NOTHING)
        axes.tick_params(labelsize=8, labelcolor=GREY, color=GREY, length=2)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(3))
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure, places


def _rule(axes: Axes) -> None:
    """Light grid behind the data, no frame but the lower edge."""
    axes.set_axisbelow(True)
    axes.grid(color=GRID, linewidth=0.7)
    axes.tick_params(labelsize=9, labelcolor=GREY, color=GRID, length=0, pad=5)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(side == "bottom")
        axes.spines[side].set_color(GREY)
        axes.spines[side].set_linewidth(0.8)


def heading(axes: Axes, text: str, color: str = INK) -> None:
    """What the vertical axis shows, written level above it."""
    axes.set_title(text, loc="left", fontsize=10, fontweight="bold", color=color, pad=7)


def axis_name(axes: Axes, text: str) -> None:
    """What the horizontal axis shows."""
    axes.set_xlabel(text, fontsize=10, color=INK, labelpad=5)


def map_axes(axes: Axes, across: str, up: str) -> None:
    """What the axes of a map are."""
    axes.set_xlabel(across, fontsize=8, color=INK, labelpad=1)
    axes.set_ylabel(up, fontsize=8, color=INK, labelpad=1)


def colour_bar(figure: Figure, axes: Axes | list[Axes], shown: Any, name: str = "") -> None:
    """The scale of what is shown, to the right of one panel or of several."""
    bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.02, shrink=0.85, aspect=18)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, labelcolor=GREY, color=GREY, length=2)
    bar.set_label(name, fontsize=8, color=INK)


def svg(figure: Figure) -> bytes:
    """The figure as SVG with text as text, nothing fetched from elsewhere, and no date."""
    return _rendered(figure, "svg", metadata={"Date": None, "Creator": None})


def png(figure: Figure, dpi: int = 200) -> bytes:
    """The figure as PNG."""
    return _rendered(figure, "png", dpi=dpi, metadata={"Software": None})


def save(figure: Figure, path: str | Path) -> None:
    """Write the figure as the ending of `path` says, `.svg` or `.png`, whole or not at all."""
    formats = {".svg": svg, ".png": png}
    suffix = Path(path).suffix.lower()
    if suffix not in formats:
        raise OutputError(f"A figure cannot be written as '{path}'. {known_names(suffix, formats)}")
    write_whole(path, formats[suffix](figure))


def _rendered(figure: Figure, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "spinloom", "font.family": ["DejaVu Sans"]}):
        figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()
