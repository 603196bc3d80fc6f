"""A network against the exact simulator in pictures: single signals, all values, the error by number and by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from spinloom.evaluation.canvas import BLUE, INK, ORANGE, axis_name, blank, heading
from spinloom.evaluation.curves import note
from spinloom.evaluation.surrogate_errors import BINS, Binned, Comparison
from spinloom.evaluation.wording import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLES = {"median": 0.5, "worse than 95 %": 0.95, "worst": 1.0}
"""Samples that are drawn, by the share of all whose error is no larger."""

_CELLS = 120


def draw_examples(found: Comparison, quantity: str) -> Figure:
    """Exact signals as lines and predictions as circles, of the samples in `EXAMPLES`."""
    figure, panels = blank(6.2, (1.0,) * len(EXAMPLES))
    order = np.argsort(found.sample_nrmse)
    for axes, (name, share) in zip(panels, EXAMPLES.items(), strict=True):
        sample = order[round(share * (order.size - 1))]
        steps = np.flatnonzero(np.isfinite(found.exact[sample]))
        axes.plot(steps + 1, found.exact[sample, steps], color=BLUE, linewidth=1.6, label="exact")
        axes.plot(
            steps + 1,
            found.predicted[sample, steps],
            color=ORANGE,
            linewidth=0,
            marker="o",
            markersize=4.5,
            fillstyle="none",
            label="network",
        )
        heading(axes, f"{quantity}, {name} sample")
        note(axes, f"NRMSE {100 * found.sample_nrmse[sample]:.3g} %")
    legend = panels[0].legend(frameon=False, fontsize=9, loc="best")
    legend.set_in_layout(False)
    axis_name(panels[-1], "Measurement")
    return figure


def draw_scatter(found: Comparison, quantity: str, r: float) -> Figure:
    """How often each pair of exact and predicted value occurs, on a logarithmic scale."""
    figure, (axes,) = blank(4.6)
    there = np.isfinite(found.exact)
    x, y = found.exact[there], found.predicted[there]
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    counts, *_ = np.histogram2d(x, y, bins=_CELLS, range=((low, high), (low, high)))
    shown = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    axes.imshow(shown.T, origin="lower", extent=(low, high, low, high), cmap="Blues", vmin=-1.0, aspect="equal")
    axes.plot([low, high], [low, high], color=INK, linewidth=0.7)
    heading(axes, f"Predicted {quantity}")
    note(axes, f"{x.size:,} values, r = {r:.6f}; darker: more")
    axis_name(axes, f"Exact {quantity}")
    return figure


def draw_numbers(binned: Mapping[str, Binned]) -> Figure:
    """The error by number: a row each, from its lowest to its highest tenth, darker the larger the error."""
    figure, (axes,) = blank(1.4 + 0.3 * len(binned))
    rows = np.full((len(binned), BINS), np.nan)
    for row, bins in enumerate(binned.values()):
        rows[row] = bins.nrmse[np.arange(BINS) * bins.nrmse.size // BINS]
    image = axes.imshow(100 * rows, cmap="Blues", aspect="auto", vmin=0)
    axes.set_yticks(range(len(binned)), labels=list(binned))
    axes.set_xticks([0, BINS - 1], labels=["lowest", "highest"])
    axes.grid(False)
    heading(axes, "NRMSE [%] by tenths of each number")
    figure.colorbar(image, ax=axes, shrink=0.9)
    return figure


def draw_steps(found: Comparison) -> Figure:
    """The error against the measurement."""
    figure, (axes,) = blank(2.9)
    percent = 100 * found.step_nrmse
    axes.plot(np.arange(1, percent.size + 1), percent, color=BLUE, linewidth=1.6, marker="o", markersize=3.4)
    axes.set_ylim(0, 1.1 * percent.max() or 1.0)
    heading(axes, "NRMSE [%] by measurement")
    note(axes, f"largest {number(percent.max(), '.3g')} %")
    axis_name(axes, "Measurement")
    return figure
