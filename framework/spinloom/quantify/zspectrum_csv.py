"""`zspectrum.csv`: the Z-spectrum of one tissue as a table that every program reads.

One row a measurement, in the file's order, with the columns of `COLUMNS`; numbers carry every digit, so that
reading gives back what was written, bit for bit.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from spinloom.quantify.zspectrum import SpectrumError, ZSpectrum

COLUMNS = ("offset_ppm", "mz", "mz_over_m0")


def write_csv(path: str | Path, spectrum: ZSpectrum) -> None:
    """Write the spectrum of one tissue; `SpectrumError` for a batch, whose home is the signal file."""
    if spectrum.mz[..., 0].numel() != 1:
        raise SpectrumError(
            f"{Path(path).name} holds the spectrum of one tissue, but this is a batch of shape "
            f"{tuple(spectrum.batch_shape)}; select one tissue, or keep the batch as a signal file."
        )
    measured = (part.detach().flatten().tolist() for part in (spectrum.mz, spectrum.mz_over_m0))
    columns = (spectrum.offset_ppm.tolist(), *measured)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(zip(*([repr(value) for value in column] for column in columns), strict=True))
    Path(path).write_text(text.getvalue(), encoding="utf-8")


def read_csv(path: str | Path) -> dict[str, np.ndarray]:
    """The columns of a `zspectrum.csv` by name, float64, shape `(measurements,)` each."""
    try:
        rows = list(csv.reader(Path(path).read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpectrumError(f"{path} cannot be read as a Z-spectrum ({error}); name a run's zspectrum.csv.") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise SpectrumError(f"{path} does not begin with the columns {','.join(COLUMNS)}; name a run's zspectrum.csv.")
    try:
        table = np.array([[float(cell) for cell in row] for row in rows[1:]]).reshape(len(rows) - 1, len(COLUMNS))
    except ValueError as error:
        raise SpectrumError(f"{path} holds a row that is not three numbers ({error}); write the file anew.") from error
    return dict(zip(COLUMNS, table.T, strict=True))
