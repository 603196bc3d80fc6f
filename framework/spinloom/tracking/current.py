"""The store that a reference to a run or to a model means: that of the task at work, or else the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from spinloom.tracking.settings import TrackingSettings

_current: ContextVar[TrackingSettings | None] = ContextVar("spinloom_store", default=None)


@contextmanager
def at_work(settings: TrackingSettings) -> Iterator[None]:
    """Let references within the block mean the store of `settings`."""
    token = _current.set(settings)
    try:
        yield
    finally:
        _current.reset(token)


def current_settings() -> TrackingSettings:
    """The store of the task at work; outside one, that of `MLFLOW_TRACKING_URI`, or else the local database."""
    return _current.get() or TrackingSettings(uri=os.environ.get("MLFLOW_TRACKING_URI"))
