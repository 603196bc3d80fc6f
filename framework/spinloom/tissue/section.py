"""A part of a pool model together with the place where it stands, so that every error can name both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinloom.errors import TissueError, known_names
from spinloom.tissue.numbers import shown
from spinloom.tissue.schema import Key


@dataclass(frozen=True)
class Section:
    """A mapping inside a pool model.

    source: what to call the whole in an error, such as "Tissue file 'brain.yaml'"
    path: keys from the top down to this section, empty at the top
    mapping: its keys and values
    """

    source: str
    path: tuple[str, ...]
    mapping: Mapping[str, Any]

    @classmethod
    def of(cls, mapping: Mapping[Any, Any], source: str, path: tuple[str, ...] = ()) -> Section:
        """The section with every key as text: `12: ...` names a pool '12'."""
        return cls(source, path, {str(key): value for key, value in mapping.items()})

    @property
    def name(self) -> str:
        """The key that holds this section."""
        return self.path[-1]

    def where(self, key: str) -> str:
        """Source and key, the beginning of an error's sentence."""
        return f"{self.source}: '{'.'.join((*self.path, key))}'"

    def child(self, key: str) -> Section:
        """The section under `key`, empty where the key is missing or holds nothing."""
        value = self.mapping.get(key)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise TissueError(
                f"{self.where(key)} is {shown(value)}, but must hold keys with values, "
                f"as in '{key}: {{f: 0.001, t1: 1.0, t2: 0.1}}'."
            )
        return Section.of(value, self.source, (*self.path, key))

    def children(self) -> tuple[Section, ...]:
        """The sections under all keys, in the file's order: pools by name."""
        for key, value in self.mapping.items():
            if not isinstance(value, Mapping):
                raise TissueError(
                    f"{self.where(key)} is {shown(value)}, but '{self.name}' holds pools by name; write "
                    f"for example '{self.name}: {{amide: {{f: 0.001, t1: 1, t2: 0.1, k: 50, dw: 3.5}}}}'."
                )
        return tuple(self.child(key) for key in self.mapping)

    def refuse_unknown(self, keys: Iterable[Key], *others: str) -> None:
        """Raise where the section holds a key that is neither of `keys` nor of `others`."""
        known = {name for key in keys for name in key.names} | set(others)
        for name in self.mapping:
            if name not in known:
                raise TissueError(f"{self.where(name)} is not a known key. {known_names(name, known)}")

    def given(self, key: Key) -> str | None:
        """The name or the alias by which the section gives `key`; None where it leaves the default."""
        names = [name for name in key.names if name in self.mapping]
        if len(names) > 1:
            raise TissueError(
                f"{self.where(names[0])} and '{names[1]}' both give one quantity ({key.meaning}); keep one of the two."
            )
        if not names and key.default is None:
            raise TissueError(f"{self.where(key.name)} is missing ({key.meaning}); give for example '{key.example}'.")
        return names[0] if names else None

    def items(self, key: str) -> list[tuple[str, Any]]:
        """What `key` holds, each value with its place: one, or those of a list."""
        value = self.mapping[key]
        if isinstance(value, list | tuple):
            return [(self.where(f"{key}[{index}]"), item) for index, item in enumerate(value)]
        return [(self.where(key), value)]

    def lists(self) -> Iterator[tuple[str, int]]:
        """Place and length of each list that stands directly in the section."""
        for key, value in self.mapping.items():
            if isinstance(value, list | tuple | np.ndarray):
                yield self.where(key), len(value)
