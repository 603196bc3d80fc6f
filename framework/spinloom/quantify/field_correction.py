"""B0 correction: each voxel's Z-spectrum moved back by its own field shift.

    Z_corrected(x) = Z_measured(x + b0_shift)

because a positive shift has moved the whole spectrum to positive offset.  Values between measured offsets are
interpolated, by straight lines or by monotone cubics (PCHIP: no overshoot, so no new dip).  Beyond the outermost
measured offsets nothing is known, and the result is NaN.

Fritsch and Butland, SIAM J Sci Stat Comput 1984;5:300, for the slopes of the cubics.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import known_names
from spinloom.quantify.averaging import averages
from spinloom.quantify.least_squares import FitError

METHODS = ("linear", "pchip")


def correct_b0(
    offset_ppm: np.ndarray,
    z: Tensor,
    b0_shift_ppm: Tensor,
    *,
    wanted_ppm: np.ndarray | None = None,
    method: str = "pchip",
) -> tuple[np.ndarray, Tensor]:
    """Z-spectra as they would be without field inhomogeneity.

    offset_ppm: without the M0 scans, in any order; measurements of one offset are averaged, shape `(measurements,)`
    z: shape `(*batch, measurements)`
    b0_shift_ppm: shape `(*batch,)`; a voxel where it is NaN becomes NaN
    wanted_ppm: offsets of the result, the distinct measured ones by default, shape `(wanted,)`
    method: `linear` or `pchip`

    Returns the offsets, and the spectra of shape `(*batch, wanted)`, NaN where the measured offsets do not reach.
    """
    if method not in METHODS:
        raise FitError(f"There is no interpolation '{method}'. {known_names(method, METHODS)}")
    if b0_shift_ppm.shape != z.shape[:-1]:
        raise FitError(
            f"The B0 map has shape {tuple(b0_shift_ppm.shape)}, the spectra {tuple(z.shape[:-1])}; "
            "give one shift a voxel."
        )
    centres, weights = averages(offset_ppm)
    if centres.size < 2:
        raise FitError(f"{centres.size} distinct offsets cannot be interpolated; give at least 2.")
    wanted = centres if wanted_ppm is None else np.asarray(wanted_ppm, dtype=np.float64)
    knots = torch.as_tensor(centres, dtype=z.dtype, device=z.device)
    values = z @ torch.as_tensor(weights.T, dtype=z.dtype, device=z.device)
    at = torch.as_tensor(wanted, dtype=z.dtype, device=z.device) + b0_shift_ppm[..., None].to(z.dtype)
    return wanted, _interpolated(knots, values, at, method)


def _interpolated(knots: Tensor, values: Tensor, at: Tensor, method: str) -> Tensor:
    """Values of shape `(*batch, knots)` at `at`, shape `(*batch, wanted)`."""
    inside = (at >= knots[0]) & (at <= knots[-1])
    left = (torch.searchsorted(knots, at.contiguous(), right=True) - 1).clamp(0, knots.numel() - 2)
    width = knots[left + 1] - knots[left]
    t = (at - knots[left]) / width
    low, high = values.gather(-1, left), values.gather(-1, left + 1)
    if method == "linear":
        result = low + t * (high - low)
    else:
        slopes = _slopes(knots, values)
        rise, fall = slopes.gather(-1, left) * width, slopes.gather(-1, left + 1) * width
        result = low + t * (rise + t * (3 * (high - low) - 2 * rise - fall + t * (rise + fall - 2 * (high - low))))
    return torch.where(inside, result, torch.nan)


def _slopes(knots: Tensor, values: Tensor) -> Tensor:
    """Slopes of monotone cubics at the knots, shape of `values`: weighted harmonic means, zero at turning points."""
    width = knots.diff()
    secant = values.diff(dim=-1) / width
    if width.numel() == 1:
        return secant.expand_as(values)
    before, after = secant[..., :-1], secant[..., 1:]
    left, right = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    monotone = before * after > 0
    mean = (left + right) / (left / torch.where(monotone, before, 1.0) + right / torch.where(monotone, after, 1.0))
    inner = torch.where(monotone, mean, 0.0 * (before + after))
    first = _end_slope(width[0], width[1], secant[..., 0], secant[..., 1])
    last = _end_slope(width[-1], width[-2], secant[..., -1], secant[..., -2])
    return torch.cat([first[..., None], inner, last[..., None]], dim=-1)


def _end_slope(near: Tensor, far: Tensor, secant: Tensor, next_secant: Tensor) -> Tensor:
    """Slope at an end by three points, cut off where it would turn or overshoot."""
    slope = ((2 * near + far) * secant - near * next_secant) / (near + far)
    slope = torch.where(slope.sign() != secant.sign(), 0.0 * slope, slope)
    turns = (secant.sign() != next_secant.sign()) & (slope.abs() > 3 * secant.abs())
    return torch.where(turns, 3 * secant, slope)
