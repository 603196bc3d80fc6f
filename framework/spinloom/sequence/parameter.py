"""One parameter of a family of sequences: its type, what it means, and which values it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from types import NoneType
from typing import Any

from spinloom.errors import SequenceError
from spinloom.sequence.expression import Value, write_value


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a parameter means, and what it may be.

    low, high: least and largest value that is accepted
    multiple: of which a whole number must be one
    published: the range over which published work draws it, None where it is fixed there
    """

    text: str
    low: float = -math.inf
    high: float = math.inf
    multiple: int = 1
    published: tuple[float, float] | None = None


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family.

    kind: `int`, `float`, `bool`, `str` or `tuple` (of as many numbers as the default)
    optional: whether it may be None
    choices: of a `str`
    """

    name: str
    kind: type
    optional: bool
    choices: tuple[str, ...]
    default: Value
    meaning: Meaning

    def accept(self, given: Any) -> Value:
        """`given` as the family's function takes it; raise `SequenceError` unless it is what `wanted` says."""
        if given is None and self.optional:
            return None
        value = self._converted(given)
        if value is None or not self._allowed(value):
            shown = write_value(given) if isinstance(given, int | float | str | tuple | NoneType) else repr(given)
            raise SequenceError(f"{self.name} is {shown}; it is {self.wanted}.")
        return value

    @property
    def wanted(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}.get(self.kind)
        if self.kind is tuple:
            assert isinstance(self.default, tuple)
            words = f"{len(self.default)} numbers in parentheses"
        if self.meaning.multiple > 1:
            words = f"a multiple of {self.meaning.multiple}"
        low, high = self.meaning.low, self.meaning.high
        if math.isfinite(low) and math.isfinite(high):
            words = f"{words} from {low:g} to {high:g}"
        elif math.isfinite(low):
            words = f"{words}, at least {low:g}"
        return f"{words}, or none" if self.optional else f"{words}"

    def _converted(self, given: Any) -> Value:
        if self.kind in (bool, str):
            return given if isinstance(given, self.kind) else None
        if self.kind is tuple:
            whole = isinstance(given, list | tuple) and all(_is_number(item) for item in given)
            return tuple(float(item) for item in given) if whole else None
        if not _is_number(given) or (self.kind is int and given != int(given)):
            return None
        return int(given) if self.kind is int else float(given)

    def _allowed(self, value: Value) -> bool:
        match value:
            case str():
                return not self.choices or value in self.choices
            case tuple():
                assert isinstance(self.default, tuple)
                return len(value) == len(self.default) and all(map(self._within, value))
            case bool():
                return True
        assert value is not None
        return self._within(value)

    def _within(self, number: float) -> bool:
        in_range = self.meaning.low <= number <= self.meaning.high
        return in_range and (self.kind is not int or number % self.meaning.multiple == 0)


def _is_number(given: Any) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool) and math.isfinite(given)
