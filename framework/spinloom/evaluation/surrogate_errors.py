"""How far a network lies from the exact simulator: over all, against each number that varies, against the step.

NRMSE is the root mean square error over the range of all exact signals, also where only some of the samples count, so
that all figures have one unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from spinloom.evaluation.metrics import bias, max_abs_error, nrmse, pearson

BINS = 10
"""Parts of equally many values into which each number is cut."""

_CONSTANT = 1e-4
"""Relative spread below which a number does not vary: `.seq` files carry six digits."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Predicted and exact signals of many samples.

    predicted, exact: shape `(samples, measurements)`, NaN beyond the length of shorter sequences
    numbers: that vary, by name, shape `(samples, 1)` or, where they vary from step to step, `(samples, measurements)`
    units: of the numbers, by name
    """

    predicted: np.ndarray
    exact: np.ndarray
    numbers: Mapping[str, np.ndarray]
    units: Mapping[str, str]

    @property
    def error(self) -> np.ndarray:
        """Predicted less exact."""
        return self.predicted - self.exact

    @property
    def range(self) -> float:
        """Largest less smallest exact value."""
        return float(np.nanmax(self.exact) - np.nanmin(self.exact))

    @property
    def sample_nrmse(self) -> np.ndarray:
        """Of each sample, shape `(samples,)`."""
        return np.sqrt(np.nanmean(self.error**2, axis=1)) / self.range

    @property
    def step_nrmse(self) -> np.ndarray:
        """Of each measurement, shape `(measurements,)`."""
        return np.sqrt(np.nanmean(self.error**2, axis=0)) / self.range


@dataclass(frozen=True, eq=False)
class Binned:
    """The error against one number.

    edges: of the bins, shape `(bins + 1,)`
    nrmse: of each bin, shape `(bins,)`
    """

    edges: np.ndarray
    nrmse: np.ndarray

    @property
    def worst(self) -> int:
        """The bin of the largest error."""
        return int(np.argmax(self.nrmse))


def overall(found: Comparison) -> dict[str, float]:
    """Metrics over all values: `nrmse`, `pearson_r` and its `pearson_p`, `bias`, `max_abs_error`, and the `nrmse` that
    95 % of the samples stay below and the worst one has."""
    there = np.isfinite(found.exact)
    x, y = found.predicted[there], found.exact[there]
    return {
        "nrmse": nrmse(x, y),
        "pearson_r": pearson(x, y),
        "pearson_p": float(stats.pearsonr(x, y).pvalue),
        "bias": bias(x, y),
        "max_abs_error": max_abs_error(x, y),
        "nrmse_95_percent": float(np.quantile(found.sample_nrmse, 0.95)),
        "nrmse_worst_sample": float(found.sample_nrmse.max()),
    }


def against_numbers(found: Comparison) -> dict[str, Binned]:
    """The error against every number that varies, by name."""
    binned = {name: _binned(values, found) for name, values in found.numbers.items()}
    return {name: bins for name, bins in binned.items() if bins is not None}


def _binned(values: np.ndarray, found: Comparison) -> Binned | None:
    there = np.isfinite(found.exact)
    spread = np.broadcast_to(values, found.exact.shape)[there]
    edges = np.unique(np.quantile(spread, np.linspace(0, 1, BINS + 1)))
    if edges[-1] - edges[0] <= _CONSTANT * np.abs(edges).max():
        return None
    place = np.clip(np.searchsorted(edges, spread, side="right") - 1, 0, edges.size - 2)
    squares = np.bincount(place, found.error[there] ** 2, minlength=edges.size - 1)
    counts = np.bincount(place, minlength=edges.size - 1)
    return Binned(edges, np.sqrt(squares / np.maximum(counts, 1)) / found.range)
