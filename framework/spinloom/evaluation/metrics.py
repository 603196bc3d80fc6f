"""How far a result lies from its reference, one number each.

Every metric takes tensors or arrays of equal shape, `(result, reference)`, compares all their numbers at once in
float64, and raises `MetricError` where the answer would mean nothing: nothing to compare, numbers that are not
finite, or a constant reference where its spread is the unit.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from spinloom.errors import SpinloomError


class MetricError(SpinloomError):
    """Numbers that cannot be compared."""


def nrmse(result: Tensor | np.ndarray, reference: Tensor | np.ndarray) -> float:
    """Root mean square error over the range of the reference, RMSE / (max - min)."""
    x, y = _comparable(result, reference)
    return float(np.sqrt(np.mean((x - y) ** 2)) / _spread(y, "reference"))


def pearson(result: Tensor | np.ndarray, reference: Tensor | np.ndarray) -> float:
    """Pearson's correlation coefficient r, from -1 to 1."""
    x, y = (_centred(values, name) for values, name in zip(_comparable(result, reference), _NAMES, strict=True))
    return float(np.dot(x, y) / np.sqrt(np.dot(x, x) * np.dot(y, y)))


def max_abs_error(result: Tensor | np.ndarray, reference: Tensor | np.ndarray) -> float:
    """Largest absolute difference, in the unit of the values."""
    x, y = _comparable(result, reference)
    return float(np.abs(x - y).max())


def bias(result: Tensor | np.ndarray, reference: Tensor | np.ndarray) -> float:
    """Mean of result - reference, in the unit of the values."""
    x, y = _comparable(result, reference)
    return float(np.mean(x - y))


_NAMES = ("result", "reference")


def _comparable(*pair: Tensor | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as flat float64 arrays."""
    x, y = (_array(values) for values in pair)
    if x.shape != y.shape:
        raise MetricError(f"The result has shape {x.shape}, the reference {y.shape}; compare values of one shape.")
    if x.size == 0:
        raise MetricError("The result and the reference are empty; compare at least one value.")
    for name, values in zip(_NAMES, (x, y), strict=True):
        if not np.isfinite(values).all():
            wrong = values[~np.isfinite(values)][0]
            raise MetricError(f"The {name} holds {wrong}; select the finite values before comparing.")
    return x.ravel(), y.ravel()


def _array(values: Tensor | np.ndarray) -> np.ndarray:
    plain = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if np.iscomplexobj(plain):
        raise MetricError("The values are complex; compare their magnitudes, or real and imaginary parts apart.")
    return plain.astype(np.float64)


def _spread(values: np.ndarray, name: str) -> float:
    spread = float(values.max() - values.min())
    if spread == 0:
        raise MetricError(
            f"The {name} is constant at {values[0]:g}, so its spread cannot be the unit; use max_abs_error."
        )
    return spread


def _centred(values: np.ndarray, name: str) -> np.ndarray:
    return (values - values.mean()) / _spread(values, name)
