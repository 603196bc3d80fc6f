"""Options of a phantom, as configuration and command line write them: read one by one, checked, in words on error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spinloom.errors import TissueError, known_names
from spinloom.tissue.numbers import number, shown


@dataclass(frozen=True)
class Options:
    """Keys and values of a phantom.

    source: what to call it in an error, such as "Phantom 'brain'"
    values: numbers, words and lists; numbers may be text
    """

    source: str
    values: Mapping[str, Any]

    def number(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number from `low` to `high`."""
        return self._within(key, self.values[key], low, high)

    def positive(self, key: str) -> float:
        """A finite number above 0."""
        return self._above_zero(key, self.number(key))

    def count(self, key: str, least: int = 0) -> int:
        """A whole number from `least`."""
        return self._whole(key, self.values[key], least)

    def counts(self, key: str) -> tuple[int, ...]:
        """A whole number from 1, or a list of them."""
        return tuple(self._whole(key, value, 1) for value in self._list(key))

    def numbers(self, key: str, count: int | None = None) -> tuple[float, ...]:
        """Finite numbers in a list, `count` of them where that is given."""
        values = self._list(key)
        if count is not None and len(values) != count:
            raise TissueError(f"{self._told(key)}, but holds {count} numbers.")
        return tuple(number(value, f"{self.source}: '{key}'") for value in values)

    def positives(self, key: str) -> tuple[float, ...]:
        """Numbers above 0 in a list, one at least."""
        values = self.numbers(key)
        if not values:
            raise TissueError(f"{self._told(key)}, which is empty; list a number at least.")
        return tuple(self._above_zero(key, value) for value in values)

    def interval(self, key: str, low: float = -math.inf) -> tuple[float, float]:
        """A range `[low, high]`, or a number, which stands for both ends; both are at least `low`."""
        values = [self._within(key, value, low, math.inf) for value in self._list(key)]
        first, last = values[0] if values else math.inf, values[-1] if values else -math.inf
        if len(values) > 2 or not first <= last:
            raise TissueError(f"{self._told(key)}, but must be a number, or a range [low, high].")
        return first, last

    def given(self, key: str) -> bool:
        """Whether the key holds anything."""
        return self.values[key] is not None

    def word(self, key: str, known: Iterable[str]) -> str:
        """One of the known words."""
        names = sorted(known)
        if self.values[key] not in names:
            raise TissueError(f"{self._told(key)}, which is not known. {known_names(str(self.values[key]), names)}")
        return str(self.values[key])

    def _list(self, key: str) -> list[Any]:
        value = self.values[key]
        return list(value) if isinstance(value, list | tuple) else [value]

    def _whole(self, key: str, value: object, least: int) -> int:
        found = number(value, f"{self.source}: '{key}'")
        if not found.is_integer() or found < least:
            raise TissueError(f"{self._told(key)}, but must be whole numbers from {least}.")
        return int(found)

    def _within(self, key: str, value: object, low: float, high: float) -> float:
        found = number(value, f"{self.source}: '{key}'")
        if not low <= found <= high:
            raise TissueError(f"{self._told(key)}, but must be {_bounds(low, high)}.")
        return found

    def _above_zero(self, key: str, value: float) -> float:
        if value <= 0:
            raise TissueError(f"{self._told(key)}, but must be above 0.")
        return value

    def _told(self, key: str) -> str:
        return f"{self.source}: '{key}' is {shown(self.values[key])}"


def _bounds(low: float, high: float) -> str:
    return f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
