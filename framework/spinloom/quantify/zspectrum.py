"""The Z-spectrum: water's longitudinal magnetisation against saturation offset, relative to unsaturated M0.

    Z(offset) = Mz(offset) / M0

Mz keeps its sign.  M0 is the mean of the M0 scans of each tissue: the measurements at the file's definition
`M0_offset` or, where that says nothing, those beyond 100 ppm or without RF; in a fingerprint schedule a
measurement without RF is one of the schedule and no M0 scan.  A file without any takes the equilibrium
magnetisation 1 instead.  The first sample of each ADC event stands for its measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import SpinloomError
from spinloom.interfaces import Signal

FAR_PPM = 100.0
"""Saturation farther from water than this leaves it untouched: without `M0_offset`, it makes an M0 scan."""

SAME_OFFSET_PPM = 1e-3
"""Offsets closer than this are one offset: `.seq` files keep six digits of a frequency."""

_SAME_M0_OFFSET = 1e-3
"""Relative tolerance around `M0_offset`: gyromagnetic ratios in use differ in the fifth digit."""


class SpectrumError(SpinloomError):
    """A signal or file that does not hold the spectrum that was asked of it."""


@dataclass(frozen=True, eq=False)
class ZSpectrum:
    """One measurement after another, in the file's order, M0 scans included.

    offset_ppm: saturation offset, NaN without RF, shape `(measurements,)`
    mz: longitudinal magnetisation relative to equilibrium, signed, shape `(*batch, measurements)`
    mz_over_m0: the same relative to M0, shape `(*batch, measurements)`
    m0: unsaturated magnetisation of each tissue, shape `(*batch,)`
    m0_scans: which measurements M0 was taken from, boolean, shape `(measurements,)`
    m0_source: where M0 came from, in a sentence
    """

    offset_ppm: np.ndarray
    mz: Tensor
    mz_over_m0: Tensor
    m0: Tensor
    m0_scans: np.ndarray
    m0_source: str

    @property
    def batch_shape(self) -> torch.Size:
        """Shape of the batch of tissues, `()` for a single one."""
        return self.mz.shape[:-1]

    @property
    def is_spectrum(self) -> bool:
        """Whether offset is the axis to draw: three or more differ, and at least half of the measurements do.

        A fingerprint schedule, which repeats few offsets under changing B1, is not a spectrum.
        """
        return _is_spectrum(self.offset_ppm[~self.m0_scans])


def z_spectrum(signal: Signal, definitions: Mapping[str, object] | None = None) -> ZSpectrum:
    """The Z-spectrum in `signal`.

    definitions: of the sequence file; its `M0_offset` [ppm] names the M0 scans

    Raises `SpectrumError` where the M0 scans of a tissue average to zero.
    """
    mz = signal.mz[..., signal.first_samples()]
    m0_scans, which = find_m0_scans(signal.offset_ppm, definitions or {})
    count = int(m0_scans.sum())
    if count:
        m0 = mz[..., m0_scans].mean(dim=-1)
        source = f"M0 is the mean of {count} measurements {which}." if count > 1 else f"M0 is the measurement {which}."
    else:
        m0 = torch.ones_like(mz[..., 0])
        source = "No M0 scan was found, so M0 is the equilibrium magnetisation, 1."
    if (m0 == 0).any():
        raise SpectrumError(f"{source} It is 0, which nothing can be divided by; give the sequence another M0 scan.")
    return ZSpectrum(signal.offset_ppm, mz, mz / m0[..., None], m0, m0_scans, source)


def find_m0_scans(offset_ppm: np.ndarray, definitions: Mapping[str, object]) -> tuple[np.ndarray, str]:
    """Which measurements are M0 scans, boolean of the shape of `offset_ppm`, and how they were recognised."""
    stated = definitions.get("M0_offset")
    if isinstance(stated, int | float):
        at_stated = np.isclose(offset_ppm, stated, rtol=_SAME_M0_OFFSET, atol=SAME_OFFSET_PPM)
        if at_stated.any():
            return at_stated, f"at the file's M0_offset, {stated:g} ppm"
    far, silent = np.abs(offset_ppm) > FAR_PPM, np.isnan(offset_ppm)
    if _is_spectrum(offset_ppm[~far & ~silent]):
        return far | silent, f"beyond {FAR_PPM:g} ppm or without RF"
    return far, f"beyond {FAR_PPM:g} ppm"


def _is_spectrum(offset_ppm: np.ndarray) -> bool:
    distinct = np.unique(np.round(offset_ppm[np.isfinite(offset_ppm)] / SAME_OFFSET_PPM)).size
    return distinct >= 3 and 2 * distinct >= offset_ppm.size
