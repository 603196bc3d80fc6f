"""A family of sequences: a function of keyword parameters that builds a sequence with pypulseq.

The signature says everything: names end in their units, defaults are the protocol that is played when nothing is said,
and `Annotated[float, Meaning(...)]` adds what a parameter means and what it may be.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from spinloom.errors import PluginError, SequenceError, known_names
from spinloom.sequence.expression import Value
from spinloom.sequence.parameter import Meaning, Parameter


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
