"""Ranges that a number of a pool model may be instead of one value.

    range(start, stop, step)   start, start + step, ... before stop, as in Python
    linspace(first, last, n)   n values, both ends among them
    choice(a, b, ...)          these values
    uniform(low, high)         drawn, every value alike
    loguniform(low, high)      drawn, every ratio alike
    latin(low, high)           drawn, one value from each of as many equal parts as are drawn (Latin hypercube)
    loglatin(low, high)        the same for the logarithm

The first three are axes of a grid; the others are drawn as often as `samples` says.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spinloom.errors import TissueError, known_names
from spinloom.tissue.numbers import number

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", re.DOTALL)

_ON_THE_LAST_STEP = 1e-9
"""Share of a step by which rounding may miss `stop`, which a range leaves out."""


@dataclass(frozen=True)
class Grid:
    """Values that are known before any work: `value(i)` for i below `count`."""

    count: int
    values: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Draw:
    """Random values between `low` and `high`, uniform in themselves or in their logarithm.

    stratified: whether each of as many equal parts as there are draws gives one (McKay, Beckman and Conover,
        Technometrics 1979;21:239)
    """

    low: float
    high: float
    logarithmic: bool
    stratified: bool = False

    def values(self, count: int, seed: int, address: str) -> np.ndarray:
        """`count` draws; they depend on `seed` and the number's own address alone, not on what else is drawn."""
        generator = np.random.default_rng([seed, zlib.crc32(address.encode())])
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        if self.stratified:
            drawn = low + (high - low) * (generator.permutation(count) + generator.random(count)) / count
        else:
            drawn = generator.uniform(low, high, count)
        return np.exp(drawn) if self.logarithmic else drawn


Variation = Grid | Draw


def variation(text: object, where: str) -> Variation | None:
    """What `text` varies over; None where it is no call of a function, such as a plain number.

    where: beginning of the sentence of an error, which is a `TissueError`
    """
    call = _CALL.fullmatch(text) if isinstance(text, str) else None
    if call is None:
        return None
    name, inside = call[1], call[2]
    told = f"{where} is {text.strip()!r}"  # type: ignore[attr-defined]
    if name not in _FUNCTIONS:
        raise TissueError(f"{told}, which is no range. {known_names(name, _FUNCTIONS)}")
    usage, build = _FUNCTIONS[name]
    arguments = [number(part, f"{where}: an argument of {name}") for part in inside.split(",")]
    wanted = usage.count(",") + 1
    if "..." not in usage and len(arguments) != wanted:
        raise TissueError(f"{told}, but {name} takes {wanted} numbers: {usage}.")
    return build(told, *arguments)


def _range(told: str, start: float, stop: float, step: float) -> Grid:
    if step == 0:
        raise TissueError(f"{told}, whose step is 0; give the distance of two values.")
    count = math.ceil((stop - start) / step - _ON_THE_LAST_STEP)
    if count < 1:
        raise TissueError(
            f"{told}, which is empty: steps of {step:g} from {start:g} never come before {stop:g}. "
            "Exchange the ends or the sign of the step; the stop itself is left out."
        )
    return Grid(count, lambda: start + step * np.arange(count))


def _linspace(told: str, first: float, last: float, count: float) -> Grid:
    if not (count.is_integer() and count >= 1):
        raise TissueError(f"{told}, whose number of values is {count:g}; it is a whole number from 1.")
    return Grid(int(count), lambda: np.linspace(first, last, int(count)))


def _choice(told: str, *values: float) -> Grid:
    return Grid(len(values), lambda: np.array(values))


def _uniform(told: str, low: float, high: float) -> Draw:
    if not low < high:
        raise TissueError(f"{told}, which is empty; the first number is the lower end, the second the upper one.")
    return Draw(low, high, logarithmic=False)


def _loguniform(told: str, low: float, high: float) -> Draw:
    if not 0 < low < high:
        raise TissueError(f"{told}; its lower end comes first, and both are above zero.")
    return Draw(low, high, logarithmic=True)


def _latin(told: str, low: float, high: float) -> Draw:
    return replace(_uniform(told, low, high), stratified=True)


def _loglatin(told: str, low: float, high: float) -> Draw:
    return replace(_loguniform(told, low, high), stratified=True)


_FUNCTIONS: dict[str, tuple[str, Callable[..., Variation]]] = {
    "range": ("range(start, stop, step)", _range),
    "linspace": ("linspace(first, last, count)", _linspace),
    "choice": ("choice(a, b, ...)", _choice),
    "uniform": ("uniform(low, high)", _uniform),
    "loguniform": ("loguniform(low, high)", _loguniform),
    "latin": ("latin(low, high)", _latin),
    "loglatin": ("loglatin(low, high)", _loglatin),
}
