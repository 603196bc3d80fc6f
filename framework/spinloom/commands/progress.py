"""A line on standard error that says how far a long batch is, how fast it goes and how long it will still take."""

from __future__ import annotations

import time
from typing import TextIO

QUIET_SECONDS = 2.0
"""Shorter work says nothing."""

_LINE_SECONDS = 30.0
"""Where nobody watches, as in a log file, a new line comes this often."""


class ProgressLine:
    """Called with what is done and what there is; rewrites its line on a terminal, adds lines to anything else."""

    def __init__(self, stream: TextIO, what: str = "tissues") -> None:
        self._stream, self._what = stream, what
        self._live = stream.isatty()
        self._start = time.perf_counter()
        self._next = self._start + QUIET_SECONDS
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """Show `done` of `total`."""
        now = time.perf_counter()
        if now < self._next or done == total:
            return
        self._next = now + (0.1 if self._live else _LINE_SECONDS)
        self._write(self.sentence(done, total, now - self._start))

    def sentence(self, done: int, total: int, seconds: float) -> str:
        """What to say when `done` of `total` took `seconds`."""
        rate = done / seconds
        left = _duration((total - done) / rate) if done else "unknown time"
        return f"{done:,} of {total:,} {self._what}, {_rate(rate)}/s, {left} left"

    def close(self) -> None:
        """Take the line away from a terminal."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _write(self, sentence: str) -> None:
        if self._live:
            self._stream.write("\r" + sentence.ljust(self._width))
            self._width = len(sentence)
        else:
            self._stream.write(sentence + "\n")
        self._stream.flush()


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _duration(seconds: float) -> str:
    """Seconds, minutes or hours, in two figures' worth."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
