"""WASABI: B0 shift and relative B1 of every voxel from one short, strong pulse at many offsets.

    Z = |c - d sin^2(atan(w1 / D)) sin^2(sqrt(w1^2 + D^2) tp / 2)|,   sin^2(atan(w1 / D)) = w1^2 / (w1^2 + D^2)
    w1 = 2 pi rel_b1 nu1,   D = 2 pi (offset - b0_shift) larmor

The width of the pattern tells B0, its oscillation B1; c and d take up relaxation.  Relaxation during the pulse is not
modelled: with T2 much longer than the pulse of 5 ms this costs less than the noise does.

Schuenke et al., Magn Reson Med 2017;77:571, https://doi.org/10.1002/mrm.26133.  A positive B0 shift moves the pattern
to positive offset (docs/conventions.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.quantify.least_squares import Fit, FitError, check_counts, least_squares
from spinloom.quantify.wasabi_start import coarse_matches
from spinloom.sequence.saturation import READOUT_USES
from spinloom.sequence.timeline import Timeline
from spinloom.units import PPM

NAMES = ("b0_shift_ppm", "rel_b1", "c", "d")

_BOUNDS = ((-1, 0.05, 0.0), (1, 4.0, 4.0))
"""Lower and upper bounds of B0 in units of the largest offset, of relative B1, and of c and d."""

_SHORT_SEARCH, _LONG_SEARCH = 8, 100
"""Steps from each candidate of the dictionary, and from the best of them."""

_NOT_A_BLOCK = 1e-3
"""Largest relative difference between samples of a pulse that still counts as constant."""


@dataclass(frozen=True)
class WasabiPulse:
    """The pulse that every measurement plays: duration [s], nominal nutation frequency and Larmor frequency [Hz]."""

    duration: float
    nutation: float
    larmor: float


def wasabi_pulse(timeline: Timeline, larmor: float) -> WasabiPulse:
    """The one constant pulse of a WASABI sequence.

    larmor: Larmor frequency of water [Hz]

    Raises `FitError` where the sequence plays pulses that differ or are not constant.
    """
    played = {timeline.rf[index] for index in timeline.block_rf[timeline.block_rf >= 0].tolist()}
    heard = {(rf.waveform, abs(rf.amplitude)) for rf in played if rf.amplitude != 0 and rf.use not in READOUT_USES}
    if len(heard) != 1:
        raise FitError(
            f"WASABI plays one pulse at every offset, but {timeline.source} plays {len(heard)} that differ in shape or "
            "amplitude; name the sequence of the WASABI measurement."
        )
    ((index, amplitude),) = heard
    waveform = timeline.waveforms[index]
    if np.abs(waveform.values - waveform.values[0]).max() > _NOT_A_BLOCK * waveform.peak:
        raise FitError(
            f"WASABI plays a constant pulse, but that of {timeline.source} is shaped; name another sequence."
        )
    return WasabiPulse(waveform.duration, amplitude * waveform.peak, larmor)


def wasabi_curve(parameters: Tensor, offset_ppm: Tensor, pulse: WasabiPulse) -> Tensor:
    """Z at every offset, shape `(*batch, measurements)`; `parameters` in the order of `NAMES`, `(*batch, 4)`."""
    b0_shift, rel_b1, c, d = parameters[..., None].unbind(dim=-2)
    return (c - d * nutation_pattern(b0_shift, rel_b1, offset_ppm, pulse)).abs()


def nutation_pattern(b0_shift_ppm: Tensor, rel_b1: Tensor, offset_ppm: Tensor, pulse: WasabiPulse) -> Tensor:
    """Share of the magnetisation that the pulse moves from +z to -z, from 0 to 1; the arguments broadcast."""
    nutation = 2 * torch.pi * pulse.nutation * rel_b1
    detuning = 2 * torch.pi * (offset_ppm - b0_shift_ppm) * PPM * pulse.larmor
    effective = nutation**2 + detuning**2
    return nutation**2 / effective * torch.sin(effective.sqrt() * pulse.duration / 2) ** 2


def fit_wasabi(offset_ppm: np.ndarray, z: Tensor, pulse: WasabiPulse) -> Fit:
    """B0 shift [ppm], relative B1, c and d of every voxel, by the names in `NAMES`.

    offset_ppm: without the M0 scans, shape `(measurements,)`
    z: normalised, signed or as magnitude, shape `(*batch, measurements)`; a voxel with NaN is left out

    The search begins at several entries of a dictionary, because the residual has many minima.
    """
    offsets = torch.as_tensor(offset_ppm, dtype=torch.float64, device=z.device)
    check_counts(offsets.numel(), NAMES)
    magnitude = z.detach().double().abs()
    starts = coarse_matches(offsets, magnitude, lambda b0, b1: nutation_pattern(b0, b1, offsets, pulse))
    reach = float(offsets.abs().max())
    lower, upper = (magnitude.new_tensor([sign * reach, b1, cd, cd]) for sign, b1, cd in _BOUNDS)

    def fit(data: Tensor, start: Tensor, steps: int) -> Fit:
        return least_squares(
            lambda p, _: wasabi_curve(p, offsets, pulse), data, start, lower, upper, NAMES, steps=steps
        )

    tried = fit(magnitude[..., None, :].expand(*starts.shape[:-1], -1), starts, _SHORT_SEARCH)
    best = tried.residual.nan_to_num(torch.inf).argmin(dim=-1)[..., None, None].expand(*z.shape[:-1], 1, len(NAMES))
    return fit(magnitude, tried.parameters.gather(-2, best)[..., 0, :], _LONG_SEARCH)
