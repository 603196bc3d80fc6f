"""Signals as pictures: the Z-spectrum with its asymmetry, the fingerprint, and batches of either.

Offsets run from right to left, as chemical shift does everywhere in the field.  M0 scans are noted, not drawn: they
lie at -300 ppm or so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from spinloom.evaluation.canvas import BLUE, GREY, INK, ORANGE, axis_name, blank, heading, save
from spinloom.evaluation.curves import draw_rows, label_end, note, tissue_rows
from spinloom.evaluation.wording import MINUS, number
from spinloom.interfaces import Signal
from spinloom.quantify.asymmetry import mtr_asymmetry
from spinloom.quantify.zspectrum import ZSpectrum, z_spectrum

_NO_TRANSVERSE = 1e-3
"""Transverse magnetisation below this share of equilibrium is not drawn."""


_FLAT_PERCENT = 0.05
"""The asymmetry's axis reaches at least this far to both sides, so that rounding does not look like a result."""


def plot(data: Signal | ZSpectrum, path: str | Path | None = None) -> Figure:
    """Draw a signal: against offset where it is a Z-spectrum, otherwise measurement by measurement.

    data: a batch is drawn as its median, the band of its 5th to 95th percentile and a few single tissues
    path: where to write the figure, `.svg` or `.png`
    """
    spectrum = data if isinstance(data, ZSpectrum) else z_spectrum(data)
    if spectrum.is_spectrum:
        figure = _draw_spectrum(spectrum)
    else:
        figure = _draw_fingerprint(spectrum, data.mxy[..., data.first_samples()] if isinstance(data, Signal) else None)
    if path is not None:
        save(figure, path)
    return figure


def _draw_spectrum(spectrum: ZSpectrum) -> Figure:
    """Z above, asymmetry below where offsets have counterparts."""
    offsets, asymmetry = mtr_asymmetry(spectrum.offset_ppm, spectrum.mz_over_m0, spectrum.m0_scans)
    figure, panels = blank(4.7, (2.0, 1.0)) if offsets.size else blank(3.4)
    measured = np.flatnonzero(~spectrum.m0_scans & np.isfinite(spectrum.offset_ppm))
    order = measured[np.argsort(spectrum.offset_ppm[measured], kind="stable")]
    _draw_z(panels[0], spectrum.offset_ppm[order], tissue_rows(spectrum.mz_over_m0)[:, order], spectrum)
    if offsets.size:
        _draw_asymmetry(panels[1], offsets, 100 * tissue_rows(asymmetry))
    axis_name(panels[-1], "Saturation offset [ppm]")
    panels[-1].invert_xaxis()
    return figure


def _draw_z(axes: Axes, offsets: np.ndarray, z: np.ndarray, spectrum: ZSpectrum) -> None:
    heading(axes, f"Mz / {'M₀' if spectrum.m0_scans.any() else 'equilibrium'}")
    note(axes, _batch_note(spectrum) or _m0_note(spectrum))
    draw_rows(axes, offsets, z, BLUE)
    axes.set_ylim(min(0.0, 1.08 * z.min()), max(1.0, 1.04 * z.max()))
    if z.min() < 0:
        axes.axhline(0, color=GREY, linewidth=0.8)


def _draw_asymmetry(axes: Axes, offsets: np.ndarray, percent: np.ndarray) -> None:
    """The asymmetry in percent, with its largest value written beside it."""
    heading(axes, f"MTR asymmetry  Z({MINUS}Δ) {MINUS} Z(+Δ)  [%]")
    axes.axhline(0, color=GREY, linewidth=0.8)
    middle = draw_rows(axes, offsets, percent, ORANGE)
    peak = int(middle.argmax())
    axes.annotate(
        f"{number(middle[peak], '.2f')} % at {offsets[peak]:.4g} ppm",
        (0.0, middle[peak]),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        fontsize=10,
        color=INK,
    )
    axes.plot((offsets[peak], 0.0), (middle[peak],) * 2, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)))
    low, high = min(percent.min(), -_FLAT_PERCENT), max(percent.max(), _FLAT_PERCENT)
    axes.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))


def _draw_fingerprint(spectrum: ZSpectrum, mxy: Tensor | None) -> Figure:
    """Mz, and |Mxy| where the readout has any, against the number of the measurement, M0 scans included."""
    figure, (axes,) = blank(3.4)
    curves = {"Mz": (tissue_rows(spectrum.mz), BLUE)}
    if mxy is not None and (transverse := tissue_rows(mxy.abs())).max() > _NO_TRANSVERSE:
        curves["|Mxy|"] = (transverse, ORANGE)
    heading(axes, f"{' and '.join(curves)} / equilibrium")
    places = np.arange(1, spectrum.offset_ppm.size + 1)
    for name, (values, color) in curves.items():
        middle = draw_rows(axes, places, values, color)
        if len(curves) > 1:
            label_end(axes, name, places[-1], middle[-1], color)
    note(axes, _batch_note(spectrum))
    axis_name(axes, "Measurement")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return figure


def _batch_note(spectrum: ZSpectrum) -> str:
    tissues = spectrum.batch_shape.numel()
    return f"median and 5 to 95 % of {tissues:,} tissues" if tissues > 1 else ""


def _m0_note(spectrum: ZSpectrum) -> str:
    where = np.unique(spectrum.offset_ppm[spectrum.m0_scans])
    if spectrum.batch_shape.numel() > 1 or not where.size:
        return ""
    place = f" at {number(where[0], '.5g')} ppm" if where.size == 1 and np.isfinite(where[0]) else ""
    return f"M₀ {spectrum.m0.item():.3f}{place}"
