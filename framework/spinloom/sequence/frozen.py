"""What makes a timeline immutable: arrays that refuse writing and a mapping that cannot be assigned to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np

Key = TypeVar("Key")
Value = TypeVar("Value", covariant=True)


def freeze(*arrays: np.ndarray) -> None:
    """Make the arrays of a noun read-only."""
    for array in arrays:
        array.flags.writeable = False


class FrozenMapping(Mapping[Key, Value]):
    """A read-only copy of a mapping; unlike `types.MappingProxyType` it travels to other processes."""

    def __init__(self, items: Mapping[Key, Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: Key) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._items!r})"
