"""Remember what a contract's class has worked out, for all of its checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Result = TypeVar("Result")


def once_a_class(function: Callable[[Any], Result]) -> Callable[[Any], Result]:
    """`function` of a class, called once for each."""
    found: dict[Any, Result] = {}

    @wraps(function)
    def remembered(contract: Any) -> Result:
        if contract not in found:
            found[contract] = function(contract)
        return found[contract]

    return remembered
