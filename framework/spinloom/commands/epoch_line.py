"""A line on standard error that says which epoch a training is in, what the last one reached, and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol, TextIO

_LINE_SECONDS = {True: 0.2, False: 30.0}
"""How often the line changes on a terminal, and a new one comes anywhere else."""


class EndedEpoch(Protocol):
    """An epoch that has ended."""

    @property
    def number(self) -> int: ...

    @property
    def metrics(self) -> Mapping[str, float]: ...


class EpochLine:
    """Told of samples and epochs; rewrites its line on a terminal, adds lines now and then to anything else."""

    def __init__(self, stream: TextIO, epochs: int) -> None:
        self._stream, self._epochs = stream, epochs
        self._live = stream.isatty()
        self._width, self._done, self._reached = 0, 0, ""
        self._start = self._next = time.perf_counter()
        self._next += _LINE_SECONDS[self._live]

    def epoch(self, epoch: EndedEpoch) -> None:
        """An epoch has ended."""
        self._done, self._start = epoch.number, time.perf_counter()
        metrics = epoch.metrics
        nrmse = 100 * metrics["validation_nrmse"]
        self._reached = f"loss {metrics['loss']:.3g}, validation NRMSE {nrmse:.3g} %"
        self._say(f"epoch {self._done} of {self._epochs}: {self._reached}")

    def samples(self, epochs: int, samples: int) -> None:
        """So many samples of the epoch after `epochs` are done."""
        rate = samples / max(time.perf_counter() - self._start, 1e-9)
        before = f"; before: {self._reached}" if self._reached else ""
        self._say(f"epoch {epochs + 1} of {self._epochs}: {samples:,} samples, {rate:,.0f}/s{before}")

    def close(self) -> None:
        """Take the line away from a terminal."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _say(self, sentence: str) -> None:
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + _LINE_SECONDS[self._live]
        self._stream.write("\r" + sentence.ljust(self._width) if self._live else sentence + "\n")
        self._width = len(sentence)
        self._stream.flush()
