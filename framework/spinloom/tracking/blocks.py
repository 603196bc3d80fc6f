"""A block of work tracked as one run, or as a sweep that many runs belong to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from spinloom.tracking.metrics import Direction
from spinloom.tracking.runs import PARENT, Run
from spinloom.tracking.settings import TrackingSettings

_TRACKED = "spinloom_run"
"""Under which name an error keeps the id of the run that it ended."""


@contextmanager
def run(
    settings: TrackingSettings,
    *,
    task: str,
    name: str,
    parent: str | None = None,
    directions: Mapping[str, Direction] | None = None,
    resume: str | None = None,
) -> Iterator[Run]:
    """Track what happens in the block as one run: finished at its end, failed with its traceback if it raises.

    parent: id of the run of the sweep that this one belongs to
    directions: for metrics with a better side, which it is, `min` or `max`; `best/<name>` is logged for them
    resume: id of a run that was interrupted and goes on; a new one is begun where the store no longer has it
    """
    tags = {"spinloom.task": task, "mlflow.source.name": f"spinloom {task}", "mlflow.source.type": "LOCAL"}
    tracked = Run(settings, name, tags | ({PARENT: parent} if parent else {}), directions or {}, resume)
    tracked.start()
    try:
        yield tracked
    except BaseException as error:
        tracked.fail(error)
        error.__dict__[_TRACKED] = tracked.run_id
        raise
    tracked.finish()


def is_tracked(error: BaseException) -> bool:
    """Whether a run has ended as failed with this very error."""
    return error.__dict__.get(_TRACKED) is not None


@contextmanager
def sweep(settings: TrackingSettings, *, task: str, name: str) -> Iterator[Run]:
    """Track what happens in the block as the parent of many runs; it has failed if one of them has."""
    with run(settings, task=task, name=name) as parent:
        yield parent
        parent.adopt_failure()
