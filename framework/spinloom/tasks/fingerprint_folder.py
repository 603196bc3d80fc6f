"""Write a phantom of fingerprinting as a measurement would leave it: noisy images, a mask, and the true maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinloom.errors import ConfigurationError
from spinloom.nifti import write_nifti
from spinloom.quantify.fingerprint_phantoms import fingerprint_phantom
from spinloom.quantify.maps import write_map
from spinloom.sequence_sources import read_sequence
from spinloom.tasks.folders import check_output
from spinloom.whole_folder import whole_folder


@dataclass(frozen=True)
class PhantomRequest:
    """Which phantom to measure, and where to.

    sequence: path or name; None is the schedule that the phantom is made for
    snr: as in `FingerprintPhantom.signals`; None is no noise
    """

    name: str
    output: Path
    sequence: str | None = None
    matrix: int = 64
    snr: float | None = None
    seed: int = 0


def write_fingerprint_phantom(request: PhantomRequest) -> str:
    """Write `series.nii.gz`, `mask.nii.gz` and `truth/NUMBER.nii.gz`; returns what was written in a sentence."""
    check_output(request.output, overwrite=False)
    if request.snr is not None and not request.snr > 0:
        raise ConfigurationError(f"An SNR of {request.snr:g} is none; give a positive one, or none for no noise.")
    phantom = fingerprint_phantom(request.name, request.matrix, request.seed)
    timeline = read_sequence(request.sequence or phantom.sequence)
    signals = phantom.signals(timeline, request.snr, request.seed)
    with whole_folder(request.output) as folder:
        write_map(folder / "series.nii.gz", phantom.grid, signals)
        write_nifti(folder / "mask.nii.gz", phantom.grid.inside.astype(np.uint8), phantom.grid.affine)
        (folder / "truth").mkdir()
        for name, values in {**phantom.numbers, "m0": phantom.m0}.items():
            write_map(folder / "truth" / f"{name}.nii.gz", phantom.grid, values)
    noise = "without noise" if request.snr is None else f"at an SNR of {request.snr:g}"
    return f"{signals.shape[0]:,} voxels of {phantom.name}, {signals.shape[1]} measurements {noise}: {request.output}"
