"""Runs side by side: those of a store as a list with sweeps as trees, and what differs between a few of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from spinloom.errors import ConfigurationError, known_names
from spinloom.tracking import Order, TrackedRun, TrackingSettings, find_run, find_runs

_MOST_COMPARED = 8

_RESULTS = {
    "train": "best/validation_nrmse",
    "tune": "best/validation_nrmse",
    "evaluate": "nrmse",
    "simulate": "mtr_asymmetry_max",
}
"""The metric that says most of a run of a task."""


@dataclass(frozen=True)
class Listed:
    """A run in a list, `depth` steps beneath the run of its sweep."""

    run: TrackedRun
    depth: int


@dataclass(frozen=True)
class Row:
    """A parameter or a metric of several runs, in their order; None where a run has none."""

    kind: Literal["param", "metric"]
    name: str
    values: tuple[str | float | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not agree; two NaN do."""
        return len({"nan" if value != value else value for value in self.values}) > 1


def list_runs(
    settings: TrackingSettings, *, task: str | None = None, condition: str = "", order: Order | None = None, limit: int
) -> tuple[Listed, ...]:
    """At most `limit` runs of the experiment, children of a sweep beneath it.

    task: only its runs
    condition: that they meet, in MLflow's language of searches
    order: of the runs; a sweep stands where the first of its runs would, and latest runs come first where not given

    A sweep whose runs are listed is listed with them, whether it was searched for or not.
    """
    order = order or Order()
    if task is not None and not task.isidentifier():
        raise ConfigurationError(f"--task is '{task}', which is no task's name; give one such as train.")
    conditions = [condition] if condition.strip() else []
    conditions += [f"tags.`spinloom.task` = '{task}'"] if task else []
    runs = find_runs(settings, " and ".join(conditions), order, limit)
    if runs and order.metric:
        refuse_unknown("metric", [order.metric], [run.metrics for run in runs])
    if runs and order.parameter:
        refuse_unknown("parameter", [order.parameter], [run.params for run in runs])
    return tuple(_arranged([*runs, *_parents(settings, runs)]))


def compare_runs(settings: TrackingSettings, ids: Sequence[str]) -> tuple[list[TrackedRun], list[Row]]:
    """The runs of `ids`, each an id or its beginning, and all their parameters and metrics in rows."""
    if not 2 <= len(ids) <= _MOST_COMPARED:
        raise ConfigurationError(f"{len(ids)} runs are given; from 2 to {_MOST_COMPARED} can be compared.")
    runs = [find_run(settings, run_id) for run_id in ids]
    params = sorted({name for run in runs for name in run.params})
    metrics = sorted({name for run in runs for name in run.metrics})
    return runs, [
        *(Row("param", name, tuple(run.params.get(name) for run in runs)) for name in params),
        *(Row("metric", name, tuple(run.metrics.get(name) for run in runs)) for name in metrics),
    ]


def refuse_unknown(kind: str, names: Iterable[str], values: Sequence[Mapping[str, Any]]) -> None:
    """Raise `ConfigurationError` for a metric or parameter (its `kind`) that none of the runs' `values` has."""
    known = {name for value in values for name in value}
    for name in names:
        if name not in known:
            raise ConfigurationError(f"None of these runs has a {kind} '{name}'. {known_names(name, known)}")


def main_result(run: TrackedRun) -> tuple[str, float] | None:
    """The metric that says most of a run, by its name; None where it has none."""
    name = _RESULTS.get(run.task, "")
    return (name.removeprefix("best/"), run.metrics[name]) if name in run.metrics else None


def plain_run(run: TrackedRun) -> dict[str, Any]:
    """All of a run in containers that JSON knows; NaN becomes null."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "task": run.task,
        "status": run.status,
        "started": _iso(run.started),
        "ended": None if run.ended is None else _iso(run.ended),
        "seconds": run.seconds,
        "parent": run.parent,
        "params": dict(sorted(run.params.items())),
        "metrics": {name: value if math.isfinite(value) else None for name, value in sorted(run.metrics.items())},
        "tags": dict(sorted(run.tags.items())),
    }


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _parents(settings: TrackingSettings, runs: Sequence[TrackedRun]) -> Iterator[TrackedRun]:
    """The runs of sweeps to which listed runs belong and which are not listed themselves."""
    listed = {run.run_id for run in runs}
    wanted = {run.parent for run in runs if run.parent is not None} - listed
    for run_id in sorted(wanted):
        yield from find_runs(settings, f"attributes.run_id = '{run_id}'", Order(), 1)


def _arranged(runs: Sequence[TrackedRun]) -> Iterator[Listed]:
    """The runs in their order, each family together where its first member stands, children beneath their parent."""
    known = {run.run_id: run for run in runs}
    beneath: dict[str, list[TrackedRun]] = {}
    for run in runs:
        if run.parent in known and run.parent != run.run_id:
            beneath.setdefault(str(run.parent), []).append(run)
    done: set[str] = set()

    def family(run: TrackedRun, depth: int) -> Iterator[Listed]:
        if run.run_id not in done:
            done.add(run.run_id)
            yield Listed(run, depth)
            for child in beneath.get(run.run_id, ()):
                yield from family(child, depth + 1)

    for run in runs:
        yield from family(_eldest(run, known), 0)


def _eldest(run: TrackedRun, known: Mapping[str, TrackedRun]) -> TrackedRun:
    seen = {run.run_id}
    while run.parent in known and run.parent not in seen:
        run = known[str(run.parent)]
        seen.add(run.run_id)
    return run
