"""Looking a shape up for the event that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinloom.errors import SequenceError
from spinloom.sequence.shape import Shape


class Shapes:
    """The shapes of a file by id; asking for one that it does not hold names the event that asks."""

    def __init__(self, shapes: Mapping[int, Shape]) -> None:
        self._shapes = shapes

    def __call__(self, key: Any, user: str) -> Shape:
        """The shape with id `key`, which `user` (such as `RF event 3`) refers to."""
        if int(key) not in self._shapes:
            raise SequenceError(f"{user} refers to shape {int(key)}, which [SHAPES] does not hold.")
        return self._shapes[int(key)]
