"""Between which values the numbers of the spins that hold magnetisation lie: expansions and tables cover no more."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the largest of some numbers."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Half way between the two."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """From the middle to either."""
        return (self.high - self.low) / 2

    def __add__(self, other: Range) -> Range:
        """Between which the sum of two numbers lies, and of one and a plain number."""
        return Range(self.low + other.low, self.high + other.high)


def range_of(values: torch.Tensor) -> Range:
    """The range of a tensor's values."""
    low, high = values.detach().aminmax()
    return Range(float(low), float(high))
