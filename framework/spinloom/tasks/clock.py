"""How long the steps of a task take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Durations of the steps that have ended, by name [s]."""

    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block as step `name`."""
        start = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - start
