"""A family of sequences: a function of keyword parameters that builds a sequence with pypulseq.

The signature says everything: names end in their units, defaults are the protocol that is played when nothing is said,
and `Annotated[float, Meaning(...)]` adds what a parameter means and what it may be.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from spinloom.errors import PluginError, SequenceError, known_names
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


@dataclass(frozen=True)
class Family:
    """A family: its name, the function that builds it, the function's parameters, and its first line of help."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    summary: str

    @classmethod
    def of(cls, name: str, function: Callable[..., Any]) -> Family:
        """The family that `function` builds; `PluginError` where its signature does not describe one."""
        hints = get_type_hints(function, include_extras=True)
        signature = inspect.signature(function).parameters.values()
        parameters = tuple(_parameter(parameter, hints.get(parameter.name)) for parameter in signature)
        return cls(name, function, parameters, (inspect.getdoc(function) or "").partition("\n")[0])

    def parameter(self, name: str) -> Parameter:
        """The parameter `name`; `SequenceError` with the nearest known name where there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = known_names(name, [parameter.name for parameter in self.parameters])
        raise SequenceError(f"Family '{self.name}' has no parameter '{name}'. {known}")

    def complete(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """All parameters, in the order of the signature: those that are given, checked, and the defaults of the others.

        Raises `SequenceError` for an unknown name and for a value that the parameter cannot have.
        """
        accepted = {name: self.parameter(name).accept(value) for name, value in given.items()}
        return {each.name: accepted.get(each.name, each.default) for each in self.parameters}

    def published(self) -> dict[str, tuple[float, float]]:
        """The ranges over which published work draws parameters, by name."""
        return {each.name: each.meaning.published for each in self.parameters if each.meaning.published}


def _parameter(stated: inspect.Parameter, hint: Any) -> Parameter:
    if stated.kind is not stated.KEYWORD_ONLY or stated.default is stated.empty:
        raise PluginError(f"Its parameter '{stated.name}' is not keyword-only with a default, as families need it.")
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    bare = get_args(hint)[0] if notes else hint
    meaning = next((note for note in notes if isinstance(note, Meaning)), Meaning(""))
    members = get_args(bare) if get_origin(bare) in (Union, UnionType) else (bare,)
    kinds = [member for member in members if member is not NoneType]
    choices = get_args(kinds[0]) if get_origin(kinds[0]) is Literal else ()
    kind = str if choices else get_origin(kinds[0]) or kinds[0]
    if len(kinds) != 1 or kind not in (int, float, bool, str, tuple):
        raise PluginError(
            f"Its parameter '{stated.name}' is annotated as {bare!r}; use int, float, bool, str or tuple."
        )
    return Parameter(stated.name, kind, NoneType in members, choices, stated.default, meaning)
