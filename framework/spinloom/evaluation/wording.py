"""Numbers as words: few digits, true minus signs, units that fit."""

from __future__ import annotations

from torch import Tensor

MINUS = "\N{MINUS SIGN}"


def number(value: float, form: str = ".4g") -> str:
    """The number in the format `form`."""
    return f"{value:{form}}".replace("-", MINUS)


def span(values: Tensor, form: str = ".4g") -> str:
    """One number, or the smallest and largest of a batch."""
    low, high = (number(bound.item(), form) for bound in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def seconds(value: float) -> str:
    """A duration in s or, below 1 s, in ms."""
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"
