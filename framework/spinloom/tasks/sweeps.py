"""Sweeps: many runs of one task as children of one run, wherever they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from spinloom import tracking

PARENT_RUN = "SPINLOOM_PARENT_RUN"
"""Environment variable that tells the jobs of a sweep, wherever they run, which run they belong to."""


_UNTOLD = ("names", "tracking", "tissue", "phantom")
"""Parts of a configuration that are no parameters of a job that was refused."""


def parent_run() -> str | None:
    """Id of the run of the sweep that this process works for; None outside a sweep."""
    return os.environ.get(PARENT_RUN)


def sweep_opener(task: str) -> Callable[[Mapping[str, Any]], AbstractContextManager[None]]:
    """Opens the parent run of a sweep of `task` into the `output` of its configuration."""

    @contextmanager
    def open_sweep(config: Mapping[str, Any]) -> Iterator[None]:
        settings = tracking.TrackingSettings.from_config(config["tracking"])
        title = f"sweep into {config['output']}"
        with tracking.sweep(settings, task=task, name=title) as run, children_of(run.run_id):
            yield

    return open_sweep


@contextmanager
def refusals_tracked(task: str, config: Mapping[str, Any]) -> Iterator[None]:
    """Track a job of a sweep that is refused before its run has begun as a run that failed, so that the sweep shows it.

    config: of the job; it becomes the parameters of that run
    """
    try:
        yield
    except Exception as error:
        parent = parent_run()
        if parent is not None and not tracking.is_tracked(error):
            where = tracking.TrackingSettings.from_config(config["tracking"])
            name = f"{Path(config['output']).name}, refused"
            with suppress(Exception), tracking.run(where, task=task, name=name, parent=parent) as run:
                run.log_params(_flat({key: value for key, value in config.items() if key not in _UNTOLD}))
                raise error
        raise


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested values by their addresses."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return flat


@contextmanager
def children_of(run_id: str | None) -> Iterator[None]:
    """Runs that are begun within the block belong to the run `run_id`, if there is one."""
    before = os.environ.get(PARENT_RUN)
    if run_id is not None:
        os.environ[PARENT_RUN] = run_id
    try:
        yield
    finally:
        os.environ.pop(PARENT_RUN, None)
        if before is not None:
            os.environ[PARENT_RUN] = before
