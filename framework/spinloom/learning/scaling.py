"""Inputs of a network on one scale, and which of them lie outside the range of training.

    scaled = (value - low) / (high - low),   or   log(value / low) / log(high / low)   of a logarithmic input

so that the range of training is 0 .. 1.  An input whose range is a single value is 0 everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from spinloom.interfaces import Input

DIGITS = 1e-5
"""Relative distance beyond its range at which an input still counts as inside: numbers of `.seq` files carry six
digits."""

_LEAST = 1e-3
"""Of the low end of a logarithmic input: what lies below it, such as 0, counts as this share."""


def scaled(features: Tensor, inputs: Sequence[Input]) -> Tensor:
    """Features, of shape `(..., inputs)` in their units, on the scale of the ranges of `inputs`.

    A logarithmic input that is not above 0 counts as a thousandth of its `low`.
    """
    logarithmic = torch.tensor([i.logarithmic for i in inputs], device=features.device)
    low, high = (features.new_tensor([_scale(i, end) for i in inputs]) for end in ("low", "high"))
    least = features.new_tensor([_LEAST * i.low if i.logarithmic else 1.0 for i in inputs])
    positive = torch.where(logarithmic, features.maximum(least), 1.0)
    values = torch.where(logarithmic, positive.log(), features)
    return (values - low) / torch.where(high > low, high - low, 1.0)


def _scale(entry: Input, end: str) -> float:
    """An end of the range on the scale of the input."""
    value: float = getattr(entry, end)
    return math.log(value) if entry.logarithmic else value


def outside(features: Tensor, inputs: Sequence[Input]) -> Tensor:
    """Which inputs of each tissue lie outside their range at any measurement, or are not finite.

    features: in their units, shape `(tissues, inputs)` or `(tissues, measurements, inputs)`

    Returns a mask of shape `(tissues, inputs)`.
    """
    low, high = (features.new_tensor([getattr(i, end) for i in inputs]) for end in ("low", "high"))
    slack = DIGITS * torch.maximum(low.abs(), high.abs())
    beyond = ~((features >= low - slack) & (features <= high + slack))
    return beyond if beyond.ndim == 2 else beyond.any(1)


def range_notes(features: Tensor, beyond: Tensor, inputs: Sequence[Input]) -> tuple[str, ...]:
    """A sentence for each input that lies outside its range: how many tissues, the farthest value, the range.

    beyond: the mask that `outside` gives
    """
    flat = features.detach().reshape(features.shape[0], -1, features.shape[-1])
    counts = beyond.sum(0).tolist()
    return tuple(
        f"{entry.name} is outside the network's valid range in {count:,} of {beyond.shape[0]:,} tissues: "
        f"{_farthest(flat[beyond[:, place], :, place], entry):.4g}, valid {entry.low:.4g} to {entry.high:.4g} "
        f"{entry.unit}."
        for place, (entry, count) in enumerate(zip(inputs, counts, strict=True))
        if count
    )


def _farthest(values: Tensor, entry: Input) -> float:
    """The value that lies farthest from the range; one that is not finite goes first."""
    plain = values.cpu().numpy().ravel()
    distance = np.abs(plain - np.clip(plain, entry.low, entry.high))
    return float(plain[np.argmax(np.where(np.isfinite(distance), distance, np.inf))])
