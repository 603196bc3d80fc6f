"""Compare: how far two signals lie apart, and where most."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinloom.errors import OutputError
from spinloom.evaluation.metrics import nrmse, pearson
from spinloom.tasks.signal_sources import Source, read_source
from spinloom.tracking import TrackingSettings


@dataclass(frozen=True)
class Difference:
    """How a quantity differs, in units of equilibrium magnetisation.

    largest, mean: of the magnitude of the difference
    nrmse: root mean square difference over the range of the second, NaN where that is constant
    r: Pearson's correlation, NaN where either is constant; real and imaginary parts of complex values count apart
    measurement, tissue: where the largest difference is, counted from 1
    """

    quantity: str
    largest: float
    mean: float
    nrmse: float
    r: float
    measurement: int
    tissue: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two sources brought to one shape, and their differences, those of Mz first."""

    first: Source
    second: Source
    differences: tuple[Difference, ...]

    @property
    def largest(self) -> Difference:
        """The largest of all differences."""
        return max(self.differences, key=lambda difference: difference.largest)

    def place(self, difference: Difference) -> str:
        """Where `difference` is, in words: measurement, offset, tissue and what varies there."""
        row, column = difference.tissue - 1, difference.measurement - 1
        words = [f"sample {difference.measurement}"]
        offsets = next((s.offset_ppm for s in (self.first, self.second) if s.offset_ppm is not None), None)
        if offsets is not None and np.isfinite(offsets[column]):
            words.append(f"offset {offsets[column]:.5g} ppm")
        if self.first.tissues > 1:
            words.append(f"tissue {difference.tissue}")
            words += [
                f"{parameter.address} {parameter.values[row]:.5g}"
                for parameter in self.first.parameters or self.second.parameters
            ]
        return ", ".join(words)


def compare(first: str, second: str, settings: TrackingSettings) -> Comparison:
    """Compare two signals, each a run folder, a `signal.zarr`, the id of a tracked run, or a CSV.

    Raises `OutputError` for sources without a quantity in common or of shapes that do not fit.
    """
    with tempfile.TemporaryDirectory(prefix="spinloom-") as into:
        a, b = (read_source(name, settings, Path(into)) for name in (first, second))
    shared = [quantity for quantity in a.quantities if quantity in b.quantities]
    if not shared:
        raise OutputError(
            f"'{first}' holds {', '.join(a.quantities)} and '{second}' holds {', '.join(b.quantities)}: nothing to "
            "compare; name two signals, or a CSV with the column mz."
        )
    a, b = _of_one_length(a, b)
    for side in (a, b):
        _refuse_infinite(side, shared)
    return Comparison(a, b, tuple(_difference(name, a.quantities[name], b.quantities[name]) for name in shared))


def _of_one_length(a: Source, b: Source) -> tuple[Source, Source]:
    """Both with as many samples: a file may have one number a measurement where the signal has several."""
    if a.samples != b.samples:
        a, b = (side if side.samples == min(a.samples, b.samples) else side.first_samples() for side in (a, b))
    if a.samples != b.samples or a.tissues != b.tissues:
        raise OutputError(
            f"Tissues x samples are {a.tissues} x {a.samples} in '{a.name}' and {b.tissues} x {b.samples} in "
            f"'{b.name}'; only signals of one sequence and as many tissues can be compared."
        )
    return a, b


def _refuse_infinite(source: Source, quantities: list[str]) -> None:
    for quantity in quantities:
        wrong = np.argwhere(~np.isfinite(source.quantities[quantity]))
        if wrong.size:
            row, column = wrong[0]
            raise OutputError(
                f"'{source.name}' holds {source.quantities[quantity][row, column]} as {quantity} of tissue {row + 1}, "
                f"sample {column + 1}; only finite numbers can be compared."
            )


def _difference(quantity: str, a: np.ndarray, b: np.ndarray) -> Difference:
    apart = np.abs(a - b)
    row, column = np.unravel_index(int(apart.argmax()), apart.shape)
    plain = [np.stack([side.real, side.imag]) if np.iscomplexobj(side) else side for side in (a, b)]
    varied = [bool(np.ptp(side) > 0) for side in plain]
    return Difference(
        quantity=quantity,
        largest=float(apart.max()),
        mean=float(apart.mean()),
        nrmse=nrmse(*plain) if varied[1] else float("nan"),
        r=pearson(*plain) if all(varied) else float("nan"),
        measurement=int(column) + 1,
        tissue=int(row) + 1,
    )
