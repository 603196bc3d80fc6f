"""Where a comparison takes its numbers from: signals of runs, and columns of text files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from spinloom.errors import OutputError
from spinloom.signal_files import read_parameters, read_signal
from spinloom.tissue.batches import Parameter
from spinloom.tracking import TrackingSettings, download_run

QUANTITIES = ("mz", "mz_over_m0")
"""Columns of a text file that can be compared; a file with a single column holds `mz`."""

OFFSET = "offset_ppm"


@dataclass(frozen=True, eq=False)
class Source:
    """Quantities of shape `(tissues, samples)` by name.

    offset_ppm: of the saturation before each sample, None where the source does not say
    first: index of the first sample of each measurement
    parameters: what varies over the tissues
    """

    name: str
    quantities: Mapping[str, np.ndarray]
    offset_ppm: np.ndarray | None
    first: np.ndarray
    parameters: tuple[Parameter, ...] = ()

    @property
    def tissues(self) -> int:
        """Number of tissues."""
        return next(iter(self.quantities.values())).shape[0]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return next(iter(self.quantities.values())).shape[1]

    def first_samples(self) -> Source:
        """The source with the first sample of each measurement alone."""
        kept = {name: values[:, self.first] for name, values in self.quantities.items()}
        offsets = None if self.offset_ppm is None else self.offset_ppm[self.first]
        return replace(self, quantities=kept, offset_ppm=offsets, first=np.arange(self.first.size))


def read_source(name: str, settings: TrackingSettings, into: Path) -> Source:
    """What `name` stands for: a run folder, a `signal.zarr`, a text file, or the id of a tracked run.

    into: folder for what has to be downloaded
    """
    path = Path(name)
    if path.is_file():
        return _text(name, path)
    return _signal(name, path if path.is_dir() else download_run(name, settings, into))


def _signal(name: str, folder: Path) -> Source:
    signal = read_signal(folder)
    return Source(
        name,
        {"mz": _rows(signal.mz), "mxy": _rows(signal.mxy)},
        signal.offset_ppm[signal.measurement],
        signal.first_samples(),
        read_parameters(folder),
    )


def _rows(values: Tensor) -> np.ndarray:
    rows: np.ndarray = values.reshape(-1, values.shape[-1]).numpy()
    return rows.astype(np.complex128 if np.iscomplexobj(rows) else np.float64)


def _text(name: str, path: Path) -> Source:
    """Columns by the names in the first line; without names, a single column of Mz."""
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"'{name}' cannot be read as text ({error}); name a signal or a CSV.") from error
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line]
    names = rows.pop(0) if rows and not _all_numbers(rows[0]) else ["mz"]
    if len(names) == 1:
        names = ["mz"]
    if not rows:
        raise OutputError(f"'{name}' holds no numbers; it needs one line a measurement.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names) or not _all_numbers(row):
            raise OutputError(f"'{name}', row {number}: {', '.join(row)!r} is not {len(names)} numbers.")
    columns = dict(zip(names, np.array(rows, dtype=np.float64).T, strict=True))
    quantities = {quantity: columns[quantity][None] for quantity in QUANTITIES if quantity in columns}
    if not quantities:
        raise OutputError(f"'{name}' has the columns {', '.join(names)}; it needs one of {', '.join(QUANTITIES)}.")
    return Source(name, quantities, columns.get(OFFSET), np.arange(len(rows)))


def _all_numbers(cells: list[str]) -> bool:
    try:
        return bool([float(cell) for cell in cells])
    except ValueError:
        return False
