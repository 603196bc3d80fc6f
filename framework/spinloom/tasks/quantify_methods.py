"""The methods of `spinloom quantify`: each turns the spectra of a source into maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError
from spinloom.quantify.asymmetry import mtr_asymmetry
from spinloom.quantify.bloch_mcconnell_fit import fit_bloch_mcconnell, fitted_spectra
from spinloom.quantify.field_correction import correct_b0
from spinloom.quantify.least_squares import Fit
from spinloom.quantify.lorentzian_fit import chosen_pools, fit_lorentzians, lorentzian_curve, lorentzian_lines
from spinloom.quantify.lorentzian_pools import AT_M0, FREE_BASELINE
from spinloom.quantify.wasabi import fit_wasabi, wasabi_curve, wasabi_pulse
from spinloom.quantify.zspectrum import SAME_OFFSET_PPM
from spinloom.tasks.quantify_source import Source
from spinloom.tissue.files import read_tissue


@dataclass(frozen=True, eq=False)
class Quantified:
    """What a method found in each voxel.

    maps: by name, shape `(voxels,)`, or `(voxels, offsets)` for spectra
    offset_ppm: of the spectra among the maps, or of the source's for a fit, shape `(offsets,)`
    left_out: voxels whose data are not finite, boolean, shape `(voxels,)`
    fit: the fit behind the maps, None where there is none
    curves: what the fit explains, shape `(voxels, offsets)`
    lines: what each pool of a Lorentzian fit takes away, by name, of the same shape
    """

    maps: dict[str, Tensor]
    offset_ppm: np.ndarray
    left_out: Tensor
    fit: Fit | None = None
    curves: Tensor | None = None
    lines: dict[str, Tensor] | None = None


def normalised(source: Source) -> Quantified:
    """The Z-spectra themselves."""
    return Quantified({"z": source.z}, source.offset_ppm, _unusable(source.z))


def asymmetry(source: Source, at: Sequence[float] = ()) -> Quantified:
    """MTR asymmetry at every positive offset, and a map for each offset in `at` [ppm]."""
    offsets, values = mtr_asymmetry(source.offset_ppm, source.z, np.zeros(source.offset_ppm.size, dtype=bool))
    if not offsets.size:
        raise ConfigurationError(f"No offset of {source.name} has a counterpart on the other side of water.")
    maps = {"mtr_asymmetry": values}
    for wanted in at:
        nearest = int(np.abs(offsets - wanted).argmin())
        if abs(offsets[nearest] - wanted) > SAME_OFFSET_PPM:
            known = ", ".join(f"{offset:.4g}" for offset in offsets)
            raise ConfigurationError(
                f"There is no MTR asymmetry at {wanted:g} ppm of {source.name}; there is at: {known}."
            )
        maps[f"mtr_asymmetry_{wanted:g}ppm"] = values[:, nearest]
    return Quantified(maps, offsets, _unusable(source.z))


def corrected(source: Source, b0_shift: str, method: str = "pchip") -> Quantified:
    """The Z-spectra without the field shift `b0_shift`, a map or a number [ppm]."""
    offsets, z = correct_b0(source.offset_ppm, source.z, source.known(b0_shift), method=method)
    return Quantified({"z_corrected": z}, offsets, _unusable(source.z))


def wasabi(source: Source) -> Quantified:
    """B0 shift and relative B1."""
    timeline, larmor = source.acquisition.timeline, source.acquisition.larmor
    if timeline is None or larmor is None:
        raise ConfigurationError(
            "WASABI needs the pulse that was played; name the .seq file as --sequence, not a list of offsets."
        )
    pulse = wasabi_pulse(timeline, larmor)
    fit = fit_wasabi(source.offset_ppm, source.z, pulse)
    curves = wasabi_curve(fit.parameters, torch.as_tensor(source.offset_ppm), pulse)
    return Quantified(fit.maps(), source.offset_ppm, fit.left_out, fit, curves)


def lorentzian(source: Source, pools: Sequence[str], free_baseline: bool = False) -> Quantified:
    """Amplitude, width and shift of each of `pools`."""
    fit = fit_lorentzians(source.offset_ppm, source.z, pools, FREE_BASELINE if free_baseline else AT_M0)
    names = [pool.name for pool in chosen_pools(pools)]
    offsets, water = torch.as_tensor(source.offset_ppm), names.index("water")
    curves = lorentzian_curve(fit.parameters, offsets, water)
    lines = dict(zip(names, lorentzian_lines(fit.parameters, offsets, water).unbind(dim=1), strict=True))
    return Quantified(fit.maps(), source.offset_ppm, fit.left_out, fit, curves, lines)


def bloch_mcconnell(
    source: Source, tissue: str, names: Sequence[str], b0_shift: str | None = None, rel_b1: str | None = None
) -> Quantified:
    """Parameters `names` of `tissue`, with B0 shift and relative B1 as known, each a map or a number."""
    timeline = source.acquisition.timeline
    if timeline is None:
        raise ConfigurationError("A Bloch-McConnell fit plays the sequence; name the .seq file as --sequence.")
    known = {"b0_shift_ppm": b0_shift, "rel_b1": rel_b1}
    given = {name: source.known(text) for name, text in known.items() if text is not None}
    start = read_tissue(tissue)
    fit = fit_bloch_mcconnell(timeline, start, source.z, names, given=given)
    curves = fitted_spectra(timeline, start, fit, given)
    return Quantified(fit.maps(), source.offset_ppm, fit.left_out, fit, curves)


def _unusable(z: Tensor) -> Tensor:
    return ~z.isfinite().all(dim=-1)
