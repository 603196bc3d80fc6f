"""MTR asymmetry: what saturation does on one side of water and not on the other.

    MTRasym(d) = Z(-d) - Z(+d),  d > 0

Positive where the side of amide, amine and hydroxyl protons is darker, negative where NOE and the semisolid pool
win.  It is linear in Z, so it is one matrix that meets the spectrum of every tissue at once.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.quantify.averaging import averages
from spinloom.quantify.zspectrum import SAME_OFFSET_PPM, ZSpectrum, find_m0_scans


def mtr_asymmetry(offset_ppm: np.ndarray, z: Tensor, m0_scans: np.ndarray | None = None) -> tuple[np.ndarray, Tensor]:
    """Asymmetry of Z-spectra at each positive offset that was measured, in rising order.

    offset_ppm: in any order; measurements of one offset are averaged, shape `(measurements,)`
    z: shape `(*batch, measurements)`
    m0_scans: measurements to leave out, boolean; without it those beyond 100 ppm or without RF

    Returns the offsets, shape `(pairs,)`, and `Z(-d) - Z(+d)`, shape `(*batch, pairs)`.  Z(-d) is what was measured
    within 1e-3 ppm of -d, otherwise a straight line between its neighbours; offsets without neighbours on
    both sides are left out rather than extrapolated.  NaN where one of these measurements is not finite.
    """
    if m0_scans is None:
        m0_scans, _ = find_m0_scans(offset_ppm, {})
    measured = np.flatnonzero(~m0_scans & np.isfinite(offset_ppm))
    centres, weights = averages(offset_ppm[measured])
    positive = centres[centres > SAME_OFFSET_PPM]
    mirrored = _snapped(-positive, centres)
    inside = mirrored >= centres.min(initial=np.inf)
    positive, mirrored = positive[inside], mirrored[inside]
    difference = _interpolation(mirrored, centres) - _interpolation(positive, centres)
    matrix = torch.as_tensor((difference @ weights).T, dtype=z.dtype, device=z.device)
    return positive, _product(z[..., measured], matrix)


def largest_asymmetry(spectrum: ZSpectrum) -> tuple[Tensor, Tensor] | None:
    """Offset [ppm] and value of the largest asymmetry of each tissue, both of the batch shape.

    Largest means most positive; where NOE wins everywhere it is negative.  None where no offset has a counterpart.
    """
    offsets, asymmetry = mtr_asymmetry(spectrum.offset_ppm, spectrum.mz_over_m0, spectrum.m0_scans)
    if offsets.size == 0:
        return None
    value, where = asymmetry.max(dim=-1)
    return torch.as_tensor(offsets, dtype=value.dtype, device=value.device)[where], value


def _product(z: Tensor, matrix: Tensor) -> Tensor:
    """`z @ matrix`, NaN only where a measurement that counts is not finite."""
    unknown = ~z.isfinite()
    if not unknown.any():
        return z @ matrix
    touched = unknown.to(z.dtype) @ (matrix != 0).to(z.dtype) > 0
    return torch.where(touched, torch.nan, torch.where(unknown, 0.0, z) @ matrix)


def _snapped(wanted: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """`wanted` offsets, each replaced by the measured one within the tolerance."""
    if centres.size == 0:
        return wanted
    nearest = centres[np.abs(wanted[:, None] - centres).argmin(axis=1)]
    return np.where(np.abs(nearest - wanted) <= SAME_OFFSET_PPM, nearest, wanted)


def _interpolation(wanted: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Matrix of shape `(wanted, centres)` that draws straight lines between values at `centres`."""
    columns = [np.interp(wanted, centres, unit) for unit in np.eye(centres.size)]
    return np.stack(columns, axis=-1) if columns else np.zeros((0, 0))
