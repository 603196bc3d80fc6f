"""Random smooth maps of the static and the transmit field.

    v = sum over i + j <= 3 of c_ij x^i y^j + sum over blobs of a exp(-((x - x0) / w)^2 / 2 - ((y - y0) / v)^2 / 2)

with x and y from -1 to 1 over the field of view, c_ij from U(-.5, .5) and one to three blobs, rescaled to the range
that is asked for (Huang et al. 2022, Simu-Net).  The blobs' amplitude, place and width are not published and chosen
here.  In three dimensions z enters as x and y do.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.tissue.phantoms.randomness import stream

_ORDER = 3


def field_map(
    shape: tuple[int, int, int],
    low: float,
    high: float,
    seed: int,
    purpose: str = "field",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """A smooth random map of `shape` `(z, y, x)` whose least value is `low` and whose largest is `high`.

    seed, purpose: maps of another seed or purpose (`b0`, `b1`) are independent
    """
    random = stream(seed, purpose)
    axes = [np.linspace(-1, 1, count) if count > 1 else np.zeros(1) for count in shape]
    values = _polynomial(random, axes)
    for _ in range(int(random.integers(1, 4))):
        values += _blob(random, axes)
    return _between(torch.from_numpy(values).to(dtype), low, high)


def _polynomial(random: np.random.Generator, axes: list[np.ndarray]) -> np.ndarray:
    """The sum of all monomials up to the third order; an axis of one voxel has none of its own."""
    powers = [np.vander(axis, _ORDER + 1, increasing=True) for axis in axes]
    orders = np.indices([_ORDER + 1] * 3)
    allowed = orders.sum(axis=0) <= _ORDER
    for number, axis in enumerate(axes):
        if axis.size == 1:
            allowed &= orders[number] == 0
    coefficients = np.zeros(allowed.shape)
    coefficients[allowed] = random.uniform(-0.5, 0.5, int(allowed.sum()))
    return _separable(coefficients, powers)


def _blob(random: np.random.Generator, axes: list[np.ndarray]) -> np.ndarray:
    """A Gaussian hill or hollow inside the field of view."""
    amplitude = random.uniform(0.5, 1.5) * random.choice((-1.0, 1.0))
    curves = []
    for axis in axes:
        place, width = random.uniform(-0.7, 0.7), random.uniform(0.15, 0.5)
        curve = np.exp(-(((axis - place) / width) ** 2) / 2) if axis.size > 1 else np.ones(1)
        curves.append(curve[:, None])
    return amplitude * _separable(np.ones((1, 1, 1)), curves)


def _separable(coefficients: np.ndarray, curves: list[np.ndarray]) -> np.ndarray:
    """sum of coefficients[k, j, i] Z[z, k] Y[y, j] X[x, i], one axis after the other."""
    values = coefficients
    for number, curve in enumerate(curves):
        values = np.moveaxis(np.tensordot(curve, values, axes=(1, number)), 0, number)
    return np.ascontiguousarray(values)


def _between(values: Tensor, low: float, high: float) -> Tensor:
    """Values rescaled so that both ends of the range are met exactly; a single voxel gets the middle."""
    least, span = values.min(), values.max() - values.min()
    if span == 0:
        return torch.full_like(values, (low + high) / 2)
    share = (values - least) / span
    return low * (1 - share) + high * share
