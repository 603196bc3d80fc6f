"""How far matched numbers lie from those that are known: of a phantom, a run, or another match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from spinloom.errors import ConfigurationError
from spinloom.evaluation.metrics import bias, max_abs_error, nrmse, pearson
from spinloom.quantify.confidence import Intervals
from spinloom.quantify.maps import read_map
from spinloom.quantify.matching import Matches
from spinloom.tasks.match_source import Fingerprints


@dataclass(frozen=True)
class Errors:
    """Of one number over all voxels that were matched and are known.

    bias, worst: mean error and largest absolute error, in the unit of the number
    nrmse, pearson: None where what is known is a single value, which has no spread
    covered: share of the intervals that hold what is known, None without intervals
    """

    bias: float
    worst: float
    nrmse: float | None
    pearson: float | None
    covered: float | None

    def numbers(self) -> dict[str, float]:
        """Those that there are, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        texts = [f"bias {self.bias:.3g}, worst {self.worst:.3g}"]
        texts += [] if self.nrmse is None else [f"NRMSE {100 * self.nrmse:.3g} %"]
        texts += [] if self.pearson is None else [f"r {self.pearson:.4f}"]
        texts += [] if self.covered is None else [f"within its interval in {100 * self.covered:.1f} %"]
        return ", ".join(texts)


def errors_of(matches: Matches, reached: Intervals | None, data: Fingerprints, truth: Path | None) -> dict[str, Errors]:
    """Errors of the numbers that are known.

    truth: folder of NIfTI maps, or of a run's maps, named as the numbers are; None takes what `data` knows

    Raises `ConfigurationError` where `truth` knows none of the numbers.
    """
    known = _known(matches, data, truth) if truth is not None else data.known
    return {
        name: _errors(name, matches.numbers[name], known[name].double(), reached)
        for name in matches.numbers
        if name in known
    }


def _errors(name: str, found: Tensor, known: Tensor, reached: Intervals | None) -> Errors:
    both = found.isfinite() & known.isfinite()
    x, y = found[both], known[both]
    spread, moves = bool((y != y[:1]).any()), bool((x != x[:1]).any())
    return Errors(
        bias=bias(x, y),
        worst=max_abs_error(x, y),
        nrmse=nrmse(x, y) if spread else None,
        pearson=pearson(x, y) if spread and moves else None,
        covered=None if reached is None else _covered(reached.low[name][both], reached.high[name][both], y),
    )


def _covered(low: Tensor, high: Tensor, known: Tensor) -> float:
    slack = 1e-6 * known.abs()  # maps are kept in single precision
    return float(((low - slack <= known) & (known <= high + slack)).double().mean())


def _known(matches: Matches, data: Fingerprints, folder: Path) -> Mapping[str, Tensor]:
    if data.grid is None:
        raise ConfigurationError(f"{data.name} is a run, which knows what varied; leave --truth out.")
    paths = {name: folder / f"{name}.nii.gz" for name in matches.numbers}
    known = {name: data.grid.voxels(read_map(path, data.grid)) for name, path in paths.items() if path.is_file()}
    if not known:
        raise ConfigurationError(
            f"{folder} holds no map of {', '.join(matches.numbers)}; maps are named NUMBER.nii.gz, such as "
            f"{next(iter(matches.numbers), 'water_pool.t1')}.nii.gz."
        )
    usable = {name: bool((values.isfinite() & ~matches.left_out).any()) for name, values in known.items()}
    if not all(usable.values()):
        empty = next(name for name, any_left in usable.items() if not any_left)
        raise ConfigurationError(f"The map of {empty} in {folder} has no value where the series was matched.")
    return {name: torch.as_tensor(values) for name, values in known.items()}
