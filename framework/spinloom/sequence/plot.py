"""A picture of a sequence: RF, gradients and ADC against time, for all of it or any part."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spinloom.errors import OutputError, SequenceError
from spinloom.sequence.lines import View
from spinloom.sequence.panels import FAINT, INK, RULE, panels
from spinloom.sequence.timeline import Timeline
from spinloom.whole_file import write_whole

FORMATS = ("pdf", "png", "svg")
"""Suffixes of the pictures that `save_figure` writes."""

_MARGIN_LEFT, _MARGIN_RIGHT, _MARGIN_TOP, _MARGIN_BOTTOM = 1.25, 0.3, 0.72, 0.55
_WIDTH, _ROW = 10.0, 0.78
_UNITS = ((1.0, "s", 1.0), (1e-3, "ms", 1e3), (0.0, "µs", 1e6))


def plot_sequence(timeline: Timeline, start: float | None = None, stop: float | None = None) -> Figure:
    """Draw what `timeline` plays from `start` to `stop` [s], by default all of it.

    Axes that the file never uses are left out.  Raises `SequenceError` where the range is empty or lies outside.
    """
    view = _view(timeline, start, stop)
    rows = panels(timeline, view)
    if not rows:
        raise SequenceError(f"{timeline.source} plays neither RF, gradients nor ADC, so there is nothing to draw.")
    heights = [row.height for row in rows]
    height = _ROW * sum(heights) + _MARGIN_TOP + _MARGIN_BOTTOM
    figure = Figure(figsize=(_WIDTH, height), dpi=160, facecolor="white")
    axes = figure.subplots(len(rows), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    unit, scale, origin = _time_axis(view)
    for row, ax in zip(rows, axes, strict=True):
        row.draw(ax, scale, origin)
        _style(ax)
    _label_time(axes[-1], view, unit, scale, origin)
    figure.subplots_adjust(
        left=_MARGIN_LEFT / _WIDTH,
        right=1 - _MARGIN_RIGHT / _WIDTH,
        top=1 - _MARGIN_TOP / height,
        bottom=_MARGIN_BOTTOM / height,
        hspace=0.12,
    )
    _title(figure, timeline, view, height)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` to `path` whole or not at all; its suffix, one of `FORMATS`, chooses the format.

    Raises `OutputError` for another suffix, and where the file cannot be written.
    """
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise OutputError(f"A picture cannot be written to {path}: its suffix must be one of {known}.")
    if path.is_dir():
        raise OutputError(f"A picture cannot be written to {path}, which is a folder; name a file.")
    content = BytesIO()
    figure.savefig(content, format=path.suffix.lower().removeprefix("."))
    write_whole(path, content.getvalue())


def _view(timeline: Timeline, start: float | None, stop: float | None) -> View:
    first, last = 0.0 if start is None else start, timeline.duration if stop is None else stop
    if not (first < last and first < timeline.duration and last > 0):
        raise SequenceError(
            f"There is nothing to draw from {first:g} s to {last:g} s: {timeline.source} lasts from 0 to "
            f"{timeline.duration:.6g} s. Choose a start before the stop, both inside."
        )
    return View(max(first, 0.0), min(last, timeline.duration))


def _time_axis(view: View) -> tuple[str, float, float]:
    """Unit of the time axis, how many of them a second has, and where the axis has its zero [s]."""
    span = view.stop - view.start
    unit, scale = next((name, scale) for least, name, scale in _UNITS if span >= least)
    return unit, scale, 0.0 if unit == "s" else view.start


def _label_time(ax: Axes, view: View, unit: str, scale: float, origin: float) -> None:
    ax.set_xlim((view.start - origin) * scale, (view.stop - origin) * scale)
    since = f" after {origin:.6f}".rstrip("0").rstrip(".") + " s" if origin else ""
    ax.set_xlabel(f"time{since} ({unit})", color=INK, fontsize=9)
    ax.tick_params(axis="x", length=3, labelbottom=True)
    ax.spines["bottom"].set_visible(True)


def _style(ax: Axes) -> None:
    """Quiet axes: no box, faint rules, labels in a column at the left."""
    for side in ("top", "right", "bottom"):
        ax.spines[side].set_visible(False)
    ax.spines["left"].set_color(RULE)
    ax.spines["bottom"].set_color(FAINT)
    ax.tick_params(labelsize=8, colors=FAINT, length=0)
    ax.yaxis.set_label_coords(-1.1 / (_WIDTH - _MARGIN_LEFT - _MARGIN_RIGHT), 0.5)
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.axhline(0.0, color=RULE, linewidth=0.6, zorder=0)
    ax.set_axisbelow(True)


def _title(figure: Figure, timeline: Timeline, view: View, height: float) -> None:
    left = 0.15 / _WIDTH
    figure.text(left, 1 - 0.3 / height, Path(timeline.source).stem, fontsize=13, fontweight="bold", color=INK)
    whole = view.start == 0.0 and view.stop == timeline.duration
    part = "whole sequence" if whole else f"{view.start:.6g} s to {view.stop:.6g} s of {timeline.duration:.6g} s"
    pulses, readouts = (view.blocks(timeline, table).size for table in (timeline.block_rf, timeline.block_adc))
    counts = f"{_count(pulses, 'RF pulse')}, {_count(readouts, 'ADC event')}"
    figure.text(left, 1 - 0.52 / height, f"{part}   ·   {counts}", fontsize=9, color=FAINT)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
