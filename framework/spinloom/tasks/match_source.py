"""What `spinloom quantify match` reads: fingerprints of voxels, of the sequence that the dictionary is of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from spinloom.errors import ConfigurationError
from spinloom.quantify.dictionary import QUANTITIES, Dictionary
from spinloom.quantify.maps import Grid, read_series
from spinloom.sequence_sources import sequence_content
from spinloom.signal_files import read_parameters, read_signal


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Signals, one row a voxel.

    name: of the series or run
    signals: as measured, shape `(voxels, measurements)`
    grid: where the voxels lie; None for the tissues of a run
    known: numbers of the tissues of a run that varied, by name, shape `(voxels,)`
    """

    name: str
    signals: Tensor
    grid: Grid | None
    known: Mapping[str, Tensor]

    @property
    def kind(self) -> str:
        """What a row is, in a word."""
        return "tissues" if self.grid is None else "voxels"


def read_fingerprints(
    path: Path, dictionary: Dictionary, quantity: str, sequence: str | None, mask: Path | None
) -> Fingerprints:
    """Read the run folder or the 4-D NIfTI image `path`.

    quantity: of a run, one of `QUANTITIES`; an image holds that of the dictionary already
    sequence: what measured an image, by path or name; None believes that it is the dictionary's
    mask: image whose voxels of 0 are left out

    Raises `ConfigurationError` where it is of another sequence or another number of measurements than `dictionary`.
    """
    found = _read_run(path, dictionary, quantity, sequence, mask) if path.is_dir() else _read_image(path, mask)
    if sequence is not None:
        _refuse_other_sequence(str(path), sequence_content(sequence), dictionary)
    if found.signals.shape[1] != dictionary.measurements:
        raise ConfigurationError(
            f"{path} has {found.signals.shape[1]} measurements, but {dictionary.name} has {dictionary.measurements}; "
            "match it with a dictionary of the sequence that measured it."
        )
    return found


def _read_image(path: Path, mask: Path | None) -> Fingerprints:
    grid, series = read_series(path, mask)
    return Fingerprints(path.name.removesuffix(".gz").removesuffix(".nii"), series, grid, {})


def _read_run(
    folder: Path, dictionary: Dictionary, quantity: str, sequence: str | None, mask: Path | None
) -> Fingerprints:
    if sequence is not None or mask is not None:
        raise ConfigurationError(
            f"{folder} is a run, which knows its sequence and has no mask; leave both options out."
        )
    signal = read_signal(folder)
    _refuse_other_sequence(str(folder), (folder / "sequence.seq").read_bytes(), dictionary)
    first = signal.first_samples()
    values = QUANTITIES[quantity](signal.mz[..., first], signal.mxy[..., first])
    known = {parameter.address: torch.from_numpy(parameter.values) for parameter in read_parameters(folder)}
    return Fingerprints(folder.name, values.reshape(-1, values.shape[-1]), None, known)


def _refuse_other_sequence(name: str, content: bytes, dictionary: Dictionary) -> None:
    if dictionary.sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise ConfigurationError(
            f"{name} is of another sequence than the dictionary {dictionary.name}, which is of {dictionary.sequence}; "
            "make a dictionary of the sequence that measured it."
        )
