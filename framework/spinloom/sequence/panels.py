"""The rows of a sequence's picture: which line each shows, in which unit, and how its axis is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from spinloom.sequence.lines import Line, View
from spinloom.sequence.rf_facts import stated_larmor
from spinloom.sequence.rotated import rotated_blocks
from spinloom.sequence.timeline import AXES, Timeline
from spinloom.sequence.traces import gradient, rf_frequency, rf_magnitude, rf_phase, sampling
from spinloom.units import MICROTESLA, PPM, PROTON_GAMMA_BAR

INK, FAINT, RULE = "#1b1f24", "#6b7280", "#d9dde3"
_ZERO = ((0.0, "0"),)
_COLOURS = {"x": "#b4442c", "y": "#3f7d3a", "z": "#6d4fa3"}


@dataclass(frozen=True, eq=False)
class Panel:
    """One row of the picture.

    label: name of the quantity and its unit, on two lines
    height: relative to the other rows
    line: times [s] and values in the unit of the label
    limits: of the vertical axis; None fits the line and zero
    ticks: where the vertical axis is labelled, with the labels; None leaves that to matplotlib
    linear_to: largest value on a linear scale, beyond which the axis is logarithmic; None is linear throughout
    filled: whether the line encloses an area, rather than dots and strokes
    """

    label: str
    height: float
    line: Line
    colour: str
    limits: tuple[float, float] | None = None
    ticks: tuple[tuple[float, str], ...] | None = None
    linear_to: float | None = None
    filled: bool = True

    def draw(self, ax: Axes, scale: float, origin: float) -> None:
        """Draw the line on `ax`, whose time axis is `(time - origin) * scale`."""
        times, values = (self.line[0] - origin) * scale, self.line[1]
        if self.filled:
            ax.fill_between(times, values, color=self.colour, alpha=0.16, linewidth=0)
            ax.plot(times, values, color=self.colour, linewidth=0.9)
        else:
            ax.plot(times, values, color=self.colour, linewidth=1.4, marker=".", markersize=2.0)
        if self.linear_to is not None:
            ax.set_yscale("symlog", linthresh=self.linear_to, linscale=1.5)
        ax.set_ylim(*(self.limits or _limits(values)))
        if self.ticks is not None:
            ax.set_yticks([value for value, _ in self.ticks], [text for _, text in self.ticks])
            ax.set_yticks([], minor=True)
        ax.set_ylabel(self.label, rotation=0, ha="left", va="center", color=INK, fontsize=9, linespacing=1.4)


def panels(timeline: Timeline, view: View) -> list[Panel]:
    """The rows that a picture of `timeline` needs: those of events that it never plays are left out."""
    rows = []
    if (timeline.block_rf >= 0).any():
        rows += [_magnitude(timeline, view), _frequency(timeline, view), _phase(timeline, view)]
    rows += _gradients(timeline, view)
    if (timeline.block_adc >= 0).any():
        rows.append(Panel("ADC", 0.55, sampling(timeline, view), INK, (0.0, 1.15), ticks=()))
    return rows


def _magnitude(timeline: Timeline, view: View) -> Panel:
    times, values = rf_magnitude(timeline, view)
    microtesla = values / PROTON_GAMMA_BAR / MICROTESLA
    top = 1.12 * float(microtesla.max()) or 1.0
    return Panel("B1\nµT", 2.0, (times, microtesla), "#1f4e8c", (0.0, top))


def _phase(timeline: Timeline, view: View) -> Panel:
    line = rf_phase(timeline, view, stated_larmor(timeline) or 0.0)
    ticks = ((-np.pi, "\N{MINUS SIGN}π"), (0.0, "0"), (np.pi, "π"))
    return Panel("RF phase\nrad", 0.9, line, "#94660c", (-1.15 * np.pi, 1.15 * np.pi), ticks, filled=False)


def _frequency(timeline: Timeline, view: View) -> Panel:
    larmor = stated_larmor(timeline)
    times, values = rf_frequency(timeline, view, larmor or 0.0)
    values, unit = (values / (larmor * PPM), "ppm") if larmor else (values, "Hz")
    bend = _bend(values)
    if bend is None:
        return Panel(f"RF offset\n{unit}", 1.1, (times, values), "#0f766e", filled=False)
    low, high = min(float(np.nanmin(values)), -bend), max(float(np.nanmax(values)), bend)
    ticks = tuple(
        (value, f"{value:.4g}".replace("-", "\N{MINUS SIGN}")) for value in sorted({low, -bend, 0.0, bend, high})
    )
    limits = (1.6 * low, 1.6 * high)
    return Panel(f"RF offset\n{unit}", 1.1, (times, values), "#0f766e", limits, ticks, bend, filled=False)


def _bend(values: np.ndarray) -> float | None:
    """The largest magnitude that belongs to the bulk of `values`, where some lie far outside it."""
    sizes = np.unique(np.abs(values[np.isfinite(values) & (values != 0)]))
    bulk = sizes[sizes <= 8 * np.median(sizes)] if sizes.size else sizes
    return float(bulk[-1]) if bulk.size < sizes.size else None


def _gradients(timeline: Timeline, view: View) -> list[Panel]:
    turned = bool(rotated_blocks(timeline).any())
    lines = {
        axis: gradient(timeline, view, index)
        for index, axis in enumerate(AXES)
        if turned or (timeline.block_gradient[index] >= 0).any()
    }
    scaled = {axis: (times, values / PROTON_GAMMA_BAR * 1e3) for axis, (times, values) in lines.items()}
    limits = _limits(np.concatenate([values for _, values in scaled.values()])) if scaled else None
    return [
        Panel(f"G{axis}\nmT/m", 0.9, line, _COLOURS[axis], limits, ticks=None if line[1].any() else _ZERO)
        for axis, line in scaled.items()
    ]


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Limits that hold `values` and zero with some air."""
    low, high = float(np.nanmin(values, initial=0.0)), float(np.nanmax(values, initial=0.0))
    air = 0.14 * (high - low) or 1.0
    return low - air, high + air
