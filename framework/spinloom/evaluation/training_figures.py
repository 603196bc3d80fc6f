"""The learning curve: loss and free-running error after each epoch, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinloom.evaluation.canvas import BLUE, GREY, ORANGE, axis_name, blank, heading
from spinloom.evaluation.curves import note

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_learning_curve(history: Sequence[Mapping[str, float]], best: int) -> Figure:
    """Draw `loss` and `validation_loss` above, `validation_nrmse` in percent below.

    history: metrics of each epoch
    best: number of the epoch whose weights are kept, counted from 1
    """
    figure, (above, below) = blank(4.7, (1.3, 1.0))
    epochs = np.arange(1, len(history) + 1)
    heading(above, "Loss")
    _draw(above, epochs, history, {"loss": ("training", GREY), "validation_loss": ("validation", BLUE)})
    legend = above.legend(frameon=False, fontsize=9, loc="upper right")
    legend.set_in_layout(False)
    heading(below, "Validation NRMSE, running free  [%]")
    percent = [{"nrmse": 100 * metrics["validation_nrmse"]} for metrics in history]
    _draw(below, epochs, percent, {"nrmse": ("", BLUE)})
    value = percent[best - 1]["nrmse"]
    below.plot([best], [value], marker="o", markersize=6, color=ORANGE, linewidth=0)
    note(below, f"kept: epoch {best}, {value:.3g} %")
    axis_name(below, "Epoch")
    return figure


def _draw(
    axes: Axes,
    epochs: np.ndarray,
    history: Sequence[Mapping[str, float]],
    curves: Mapping[str, tuple[str, str]],
) -> None:
    """A logarithmic curve for each metric, with its points where there are few."""
    axes.set_yscale("log")
    for formatted in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        formatted("{x:.2g}")
    axes.locator_params(axis="x", integer=True)
    marker = "o" if epochs.size <= 30 else ""
    for name, (label, color) in curves.items():
        values = [metrics[name] for metrics in history]
        axes.plot(epochs, values, color=color, linewidth=1.6, marker=marker, markersize=3, label=label)
