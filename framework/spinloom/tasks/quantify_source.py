"""What `spinloom quantify` reads: Z-spectra of voxels, from a NIfTI series or from the folder of a simulated run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from spinloom.errors import ConfigurationError
from spinloom.quantify.acquisition import Acquisition, read_acquisition
from spinloom.quantify.maps import Grid, read_map, read_series
from spinloom.quantify.normalisation import normalise
from spinloom.signal_files import read_signal


@dataclass(frozen=True, eq=False)
class Source:
    """Normalised spectra, one row a voxel.

    name: of the series or run
    acquisition: how it was measured
    z: Mz / M0 of the measurements that are no M0 scans, shape `(voxels, offsets)`
    m0_source: what M0 was, in a sentence
    grid: where the voxels lie; None for the tissues of a run
    """

    name: str
    acquisition: Acquisition
    z: Tensor
    m0_source: str
    grid: Grid | None

    @property
    def offset_ppm(self) -> np.ndarray:
        """Offsets of `z` [ppm], shape `(offsets,)`."""
        return self.acquisition.offset_ppm[self.acquisition.measured]

    @property
    def kind(self) -> str:
        """What a row is, in a word."""
        return "tissues" if self.grid is None else "voxels"

    def known(self, text: str) -> Tensor:
        """A parameter that is known: a number for all voxels, or the path of a map on the grid; shape `(voxels,)`."""
        try:
            return self.z.new_full(self.z.shape[:1], float(text))
        except ValueError:
            if self.grid is not None:
                return self.grid.voxels(read_map(text, self.grid))
        raise ConfigurationError(f"'{text}' is no number, and a run has no grid for a map; give a number in ppm or 1.")


def read_source(path: Path, sequence: str | None, mask: Path | None, larmor: float | None) -> Source:
    """Read the run folder or the 4-D NIfTI image `path`.

    sequence: what measured an image: a sequence by path or name, or a text file of offsets [ppm]
    mask: image whose voxels of 0 are left out
    larmor: Larmor frequency [Hz], where the sequence does not state it
    """
    if path.is_dir():
        return _read_run(path, sequence, mask, larmor)
    if sequence is None:
        raise ConfigurationError(
            f"The offsets of {path} are missing; add --sequence with the .seq file that measured it, or a text file "
            "that lists them in ppm."
        )
    grid, series = read_series(path, mask)
    acquisition = read_acquisition(sequence, larmor)
    return Source(
        path.name.removesuffix(".gz").removesuffix(".nii"), acquisition, *normalise(series, acquisition), grid
    )


def _read_run(folder: Path, sequence: str | None, mask: Path | None, larmor: float | None) -> Source:
    if sequence is not None or mask is not None:
        raise ConfigurationError(
            f"{folder} is a run, which knows its sequence and has no mask; leave both options out."
        )
    signal = read_signal(folder)
    acquisition = read_acquisition(folder / "sequence.seq", larmor)
    mz = signal.mz[..., signal.first_samples()]
    return Source(folder.name, acquisition, *normalise(mz.reshape(-1, mz.shape[-1]), acquisition), None)
