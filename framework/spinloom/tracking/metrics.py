"""Metrics on their way to the store: kept until there are enough of them to be worth a request."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from spinloom.errors import ConfigurationError, known_names
from spinloom.tracking.batches import Point, now

Direction = Literal["min", "max"]

ENOUGH = 500
"""Values to wait for before a request."""

LONG = 5.0
"""Longest time that a value waits for others [s]."""


class MetricBuffer:
    """Values that wait to be logged, each with the best so far where it is known which way is better.

    directions: for metrics with a better side, which it is: `min` or `max`; `best/<name>` is then logged too, because
        a search in MLflow sees the last value of a metric only

    Raises `ConfigurationError` for any other direction.
    """

    def __init__(self, directions: Mapping[str, Direction]) -> None:
        for name, direction in directions.items():
            if direction not in ("min", "max"):
                raise ConfigurationError(
                    f"The direction of metric '{name}' is '{direction}'. {known_names(direction, ('min', 'max'))}"
                )
        self._directions = dict(directions)
        self._best: dict[str, float] = {}
        self._since = time.monotonic()
        self.points: list[Point] = []

    def add(self, metrics: Mapping[str, float], step: int) -> None:
        """Take values of one step, such as an epoch."""
        if not self.points:
            self._since = time.monotonic()
        moment = now()
        for name, value in metrics.items():
            self.points.append(Point(name, float(value), step, moment))
            if self._improves(name, float(value)):
                self._best[name] = float(value)
                self.points.append(Point(f"best/{name}", float(value), step, moment))

    def is_due(self) -> bool:
        """Whether there are enough values for a request, or one has waited long."""
        return len(self.points) >= ENOUGH or time.monotonic() - self._since > LONG

    def _improves(self, name: str, value: float) -> bool:
        """Whether `value` is the best so far; NaN never is."""
        if name not in self._directions:
            return False
        sign = 1.0 if self._directions[name] == "max" else -1.0
        best = self._best.get(name)
        return sign * value > sign * best if best is not None else value == value
