"""Normalisation: images divided by their M0 scans, voxel by voxel."""

from __future__ import annotations

import torch
from torch import Tensor

from spinloom.quantify.acquisition import Acquisition
from spinloom.quantify.zspectrum import SpectrumError


def normalise(series: Tensor, acquisition: Acquisition) -> tuple[Tensor, str]:
    """Z of every measurement that is no M0 scan, shape `(*batch, offsets)`, and in a sentence what M0 was.

    series: signal of every measurement, in any unit, shape `(*batch, measurements)`

    Voxels whose M0 is 0 or not finite become NaN.  Without M0 scans the series is taken to be normalised already.
    Raises `SpectrumError` where series and acquisition disagree on the number of measurements.
    """
    count = acquisition.offset_ppm.size
    if series.shape[-1] != count:
        raise SpectrumError(
            f"The series has {series.shape[-1]} measurements, but {count} offsets are given; name the sequence or list "
            "of offsets that belongs to it."
        )
    if not acquisition.measured.size:
        raise SpectrumError("Every measurement is an M0 scan, so there is no Z-spectrum; name another sequence.")
    z = series[..., acquisition.measured].double()
    scans = int(acquisition.m0_scans.sum())
    if not scans:
        return z, "No M0 scan was found, so the series is taken to be normalised already."
    m0 = series[..., acquisition.m0_scans].double().mean(dim=-1, keepdim=True)
    z = torch.where(m0.isfinite() & (m0 != 0), z / torch.where(m0 == 0, 1.0, m0), torch.nan)
    return z, f"M0 is the mean of {scans} measurements {acquisition.m0_source}."
