"""A search at a glance: what each trial reached, and the best until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinloom.evaluation.canvas import BLUE, GREY, ORANGE, axis_name, blank, heading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS = {"done": ("o", BLUE, "done"), "pruned": ("x", GREY, "ended early")}


def draw_search(values: Sequence[float | None], outcomes: Sequence[str], monitor: str) -> Figure:
    """Draw the value of each trial on a logarithmic axis, by what became of it, and the least of those done so far.

    values: of each trial, None where it reached nothing
    outcomes: `done`, `pruned` or `failed`
    monitor: what the value is
    """
    figure, (axes,) = blank(3.0)
    heading(axes, monitor.replace("_", " ").replace("nrmse", "NRMSE").capitalize())
    reached = np.array([np.nan if value is None else value for value in values])
    if np.nanmin(reached) > 0:
        axes.set_yscale("log")
        for formatted in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            formatted("{x:.2g}")
    for outcome, (marker, color, label) in _LOOKS.items():
        chosen = np.array([found == outcome for found in outcomes])
        if chosen.any():
            axes.plot(
                np.flatnonzero(chosen), reached[chosen], marker, color=color, markersize=5, label=label, linewidth=0
            )
    done = np.where([found == "done" for found in outcomes], reached, np.inf)
    least = np.minimum.accumulate(done)
    axes.step(np.flatnonzero(np.isfinite(least)), least[np.isfinite(least)], where="post", color=ORANGE, label="best")
    axes.legend(frameon=False, fontsize=9)
    axes.locator_params(axis="x", integer=True)
    axis_name(axes, "Trial")
    return figure
