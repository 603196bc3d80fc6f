"""A run as the store knows it, whether it has ended or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spinloom.tracking.batches import now
from spinloom.tracking.process import is_abandoned
from spinloom.tracking.runs import PARENT, PRUNED

TASK = "spinloom.task"
"""Tag that says which task ran."""


@dataclass(frozen=True)
class TrackedRun:
    """A run of a store.

    status: `finished`, `failed`, `killed`, `pruned` (a trial that a search ended early) or `running`
    started, ended: [ms since 1970]; `ended` is None while it runs and where its end is not known
    parent: id of the run of its sweep or search, or None
    params, metrics: as logged; of a metric the last value
    """

    run_id: str
    name: str
    status: str
    started: int
    ended: int | None
    parent: str | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def task(self) -> str:
        """Name of the task that ran; empty where another program logged the run."""
        return self.tags.get(TASK, "")

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far; None where its end is not known."""
        if self.status == "running":
            return (now() - self.started) / 1000
        return None if self.ended is None else (self.ended - self.started) / 1000


def tracked_run(run: Any) -> TrackedRun:
    """The run that MLflow gives, in our words; one whose process is gone counts as killed before it is marked so."""
    tags = dict(run.data.tags)
    return TrackedRun(
        run_id=run.info.run_id,
        name=run.info.run_name or "",
        status=_status(run.info.status, tags),
        started=run.info.start_time or 0,
        ended=run.info.end_time,
        parent=tags.get(PARENT),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=tags,
    )


def _status(status: str, tags: Mapping[str, str]) -> str:
    if PRUNED in tags:
        return "pruned"
    if status == "RUNNING" and is_abandoned(tags):
        return "killed"
    return status.lower()
