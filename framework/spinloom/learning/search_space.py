"""What a search may choose from: ranges and choices by key of a configuration, written as text.

uniform(low, high)         any number between, every value alike
loguniform(low, high)      any number between, every ratio alike
integer(low, high)         any whole number between, both ends included
choice(a, b, ...)          one of these, which may be numbers, words or lists
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from spinloom.errors import ConfigurationError, known_names

_FORMS = {
    "uniform": "uniform(low, high)",
    "loguniform": "loguniform(low, high)",
    "integer": "integer(low, high)",
    "choice": "choice(a, b, ...)",
}


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`: every ratio alike where `logarithmic`, whole ones where `whole`."""

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values, which may be of any kind."""

    values: tuple[Any, ...]


Space = Mapping[str, Between | Choice]
"""What may be chosen, by the key of the configuration that it is for."""


def read_space(search: Mapping[str, Any], config: Mapping[str, Any]) -> Space:
    """The space that the group `search` of a configuration describes.

    config: that the keys belong to

    Raises `ConfigurationError` where nothing is to be searched, for a key that `config` lacks, and for text that is no
    range.
    """
    space = {}
    for key, told in _leaves(search):
        _require_key(config, key)
        space[key] = _range(key, told)
    if not space:
        raise ConfigurationError(
            "Nothing is to be searched; add a range such as 'search.training.optimizer.lr=loguniform(1e-4, 1e-2)'."
        )
    return space


def with_values(config: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with each of `values` in the place of its key."""
    changed = copy.deepcopy(dict(config))
    for key, value in values.items():
        *parents, last = key.split(".")
        node = changed
        for parent in parents:
            node = node[parent]
        node[last] = value
    return changed


def _leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _require_key(config: Mapping[str, Any], key: str) -> None:
    node: Any = config
    parts = key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(node, Mapping) or part not in node:
            where = ".".join(parts[:depth])
            known = list(node) if isinstance(node, Mapping) else []
            raise ConfigurationError(
                f"search.{key} names nothing: {f'{where!r} has' if where else 'there is'} no key '{part}'. "
                f"{known_names(part, known)} An option that is left out by default is added with +{key}=VALUE."
            )
        node = node[part]


def _range(key: str, told: Any) -> Between | Choice:
    form = re.fullmatch(r"\s*(\w+)\((.*)\)\s*", str(told), re.DOTALL)
    if form is None or form[1] not in _FORMS:
        known = known_names(form[1] if form else "", _FORMS)
        raise ConfigurationError(f"search.{key} is {told!r}, which is no range such as uniform(low, high). {known}")
    name, values = form[1], _values(key, told, form[2])
    if name == "choice":
        if not values:
            raise ConfigurationError(f"search.{key} is {told!r}, which offers nothing to choose from.")
        return Choice(tuple(values))
    whole = name == "integer"
    numbers = [value for value in values if isinstance(value, int if whole else (int, float))]
    if len(values) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        kind = "whole numbers" if whole else "numbers"
        raise ConfigurationError(f"search.{key} is {told!r}; {_FORMS[name]} takes two {kind}, the lower one first.")
    if name == "loguniform" and not numbers[0] > 0:
        raise ConfigurationError(f"search.{key} is {told!r}; a logarithmic range begins above zero.")
    return Between(numbers[0], numbers[1], logarithmic=name == "loguniform", whole=whole)


def _values(key: str, told: Any, inside: str) -> list[Any]:
    try:
        values = yaml.safe_load(f"[{inside}]")
    except yaml.YAMLError as error:
        raise ConfigurationError(f"search.{key} is {told!r}, whose values cannot be read.") from error
    return [_number(value) for value in values]


def _number(value: Any) -> Any:
    """Text such as 1e-4, which YAML 1.1 does not take for a number, as a number; anything else as it is."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value
