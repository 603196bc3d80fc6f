"""Two signals in one picture: both above, their difference below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from spinloom.evaluation.canvas import BLUE, GREY, INK, ORANGE, axis_name, blank, heading
from spinloom.evaluation.curves import draw_rows, note
from spinloom.evaluation.wording import MINUS
from spinloom.quantify.zspectrum import find_m0_scans

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plot_comparison(
    names: tuple[str, str], first: np.ndarray, second: np.ndarray, offset_ppm: np.ndarray | None
) -> Figure:
    """Draw Mz of two signals, of shape `(tissues, samples)` each, and the first less the second.

    offset_ppm: of each sample; where it is that of a Z-spectrum it is the axis, and M0 scans are left out
    """
    figure, panels = blank(5.0, (2.0, 1.2))
    order = None if offset_ppm is None else _spectrum_order(offset_ppm)
    if offset_ppm is None or order is None:
        x, order = np.arange(1, first.shape[1] + 1), np.arange(first.shape[1])
        axis_name(panels[1], "Sample")
    else:
        x = offset_ppm[order]
        axis_name(panels[1], "Saturation offset [ppm]")
        panels[1].invert_xaxis()
    _draw_both(panels[0], x, first[:, order], second[:, order], names)
    _draw_difference(panels[1], x, (first - second)[:, order])
    return figure


def _draw_both(axes: Axes, x: np.ndarray, first: np.ndarray, second: np.ndarray, names: tuple[str, str]) -> None:
    """The first as a line, the second as open circles that the line runs through where they agree."""
    heading(axes, "Mz / equilibrium")
    note(axes, f"median of {len(first):,} tissues" if len(first) > 1 else "")
    axes.plot(x, np.median(first, axis=0), color=BLUE, linewidth=1.8, label=names[0])
    middle = np.median(second, axis=0)
    axes.plot(x, middle, color=ORANGE, linewidth=0, marker="o", markersize=5, fillstyle="none", label=names[1])
    legend = axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="best")
    legend.set_in_layout(False)


def _draw_difference(axes: Axes, x: np.ndarray, rows: np.ndarray) -> None:
    """The difference in a power of ten that leaves readable numbers."""
    largest = float(np.abs(rows).max())
    power = math.floor(math.log10(largest)) if largest > 0 else 0
    unit = f"  [10{str(power).translate(_SUPERSCRIPTS)}]" if power else ""
    heading(axes, f"Difference, first {MINUS} second{unit}")
    note(axes, f"median and 5 to 95 % of {len(rows):,} tissues" if len(rows) > 1 else "")
    axes.axhline(0, color=GREY, linewidth=0.8)
    draw_rows(axes, x, rows / 10.0**power, INK)


def _spectrum_order(offset_ppm: np.ndarray) -> np.ndarray | None:
    """Samples in the order of their offsets without M0 scans; None where offsets do not make a spectrum."""
    m0_scans, _ = find_m0_scans(offset_ppm, {})
    kept = np.flatnonzero(~m0_scans & np.isfinite(offset_ppm))
    distinct = np.unique(offset_ppm[kept].round(3)).size
    if distinct < 3 or 2 * distinct < kept.size:
        return None
    return kept[np.argsort(offset_ppm[kept], kind="stable")]
