"""Plugins that observe runs are told of them here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spinloom.interfaces import RunInfo
from spinloom.registry import plugins


@contextmanager
def observed(info: RunInfo) -> Iterator[None]:
    """Tell plugins of the run's start and end."""
    plugins().run_started(info)
    try:
        yield
    except BaseException:
        plugins().run_finished(info, "FAILED")
        raise
    plugins().run_finished(info, "FINISHED")
