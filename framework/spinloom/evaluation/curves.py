"""Curves that all figures share: one tissue as a line with its points, a batch as its median and band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression
from torch import Tensor

from spinloom.evaluation.canvas import GREY, axis_name, blank, heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEW_TISSUES = 5
"""So many single tissues are drawn behind the median of a batch."""

_LABEL_HEIGHT = 0.065
"""A line of type, as a share of the vertical axis."""

_LETTER_WIDTH = 0.017
"""A letter, as a share of the horizontal axis."""

_LIGHT, _DARK = np.array([143, 187, 227]), np.array([6, 45, 82])
"""Ends of the ramp of blues in which curves of one kind are told apart."""


def plot_curves(
    curves: Mapping[str, tuple[np.ndarray, Tensor]], title: str, x_name: str, logarithmic: bool = False
) -> Figure:
    """Curves of one quantity under growing circumstances, light to dark, each with its name at its left end.

    curves: by name, x of shape `(n,)` and y of shape `(*batch, n)`; a batch is drawn as median and band
    title, x_name: what the axes show
    """
    figure, (axes,) = blank(3.6)
    heading(axes, title)
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    ends = {}
    for place, (name, (x, y)) in enumerate(curves.items()):
        color = _shade(place / max(1, len(curves) - 1))
        ends[name] = (float(x[0]), float(draw_rows(axes, x, tissue_rows(y), color)[0]), color)
    heights = _spread([height for _, height, _ in ends.values()], _LABEL_HEIGHT * float(np.ptp(axes.get_ylim())))
    for height, (name, (left, _, color)) in zip(heights, ends.items(), strict=True):
        axes.annotate(
            name,
            (left, height),
            xytext=(-7, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=10,
            color=color,
            annotation_clip=False,
        )
    _make_room(axes, [left for left, _, _ in ends.values()], max(map(len, curves), default=0))
    axis_name(axes, x_name)
    return figure


def _make_room(axes: Axes, places: list[float], letters: int) -> None:
    """Widen the horizontal axis on the side of `places` for names of so many letters, which end there."""
    axes.margins(x=0.05)
    scale = axes.xaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_xlim()))
    share = 0.03 + _LETTER_WIDTH * letters
    room = share / (1 - share) * (high - low)
    at_low = not places or scale.transform(np.array(places)).mean() < (low + high) / 2
    axes.set_xlim(*scale.inverted().transform(np.array([low - room, high] if at_low else [low, high + room])))


def _spread(heights: list[float], least: float) -> list[float]:
    """`heights` in their order and at least `least` apart, moved as little as that takes in the sum of squares."""
    order = np.argsort(heights, kind="stable")
    steps = least * np.arange(len(heights))
    found = np.empty(len(heights))
    found[order] = isotonic_regression(np.array(heights)[order] - steps).x + steps
    moved: list[float] = found.tolist()
    return moved


def draw_rows(axes: Axes, x: np.ndarray, rows: np.ndarray, color: str) -> np.ndarray:
    """Draw `rows` of shape `(tissues, measurements)`; returns the curve in the middle of them."""
    middle = np.median(rows, axis=0)
    if len(rows) == 1:
        axes.plot(x, middle, color=color, linewidth=1.5, marker="o", markersize=3.6)
        return middle
    axes.fill_between(x, *np.quantile(rows, (0.05, 0.95), axis=0), color=color, alpha=0.18, linewidth=0)
    for row in rows[np.linspace(0, len(rows) - 1, min(len(rows), _FEW_TISSUES)).astype(int)]:
        axes.plot(x, row, color=color, linewidth=0.6, alpha=0.55)
    axes.plot(x, middle, color=color, linewidth=2.0)
    return middle


def label_end(axes: Axes, text: str, x: float, y: float, color: str) -> None:
    """Write `text` to the right of a curve's last point."""
    axes.annotate(text, (x, y), xytext=(7, 0), textcoords="offset points", va="center", fontsize=10, color=color)


def note(axes: Axes, text: str) -> None:
    """Small type at the upper right."""
    axes.set_title(text, loc="right", fontsize=9, color=GREY, pad=7)


def tissue_rows(values: Tensor) -> np.ndarray:
    """The batch as one axis of tissues, float64, shape `(tissues, measurements)`."""
    plain: np.ndarray = values.detach().cpu().double().numpy()
    return plain.reshape(-1, plain.shape[-1])


def _shade(depth: float) -> str:
    """A blue between light, 0, and dark, 1."""
    red, green, blue = (_LIGHT + depth * (_DARK - _LIGHT)).round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
