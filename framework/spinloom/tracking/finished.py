"""Logging a finished run folder: at the end of its run, or later, when the store answers again."""

from __future__ import annotations

import shlex
from pathlib import Path

from spinloom.tracking.batches import Point, now
from spinloom.tracking.folder import RunFolder
from spinloom.tracking.process import process_tags
from spinloom.tracking.settings import TrackingSettings
from spinloom.tracking.store import Store

FOLDER = "spinloom.folder"
"""Tag of a run whose folder has been logged whole: the folder's identity."""


def run_settings(folder: Path) -> TrackingSettings:
    """Where the run of a folder was meant to be tracked; `TrackingError` where `folder` is no run folder."""
    return RunFolder.read(folder).settings


def logged_run(folder: Path, settings: TrackingSettings) -> str | None:
    """Id of the run that a store already holds of a run folder; None where it holds none.

    Raises `TrackingError` where `folder` is no run folder or the store cannot be reached.
    """
    return _logged(Store(settings), RunFolder.read(folder))


def log_run_folder(folder: Path, settings: TrackingSettings, *, again: bool = False) -> str:
    """Log a finished run folder and return the id of its run, which is the earlier one if it is logged already.

    again: log it once more even so

    Raises `TrackingError` where `folder` is no run folder or the store cannot be reached.
    """
    content = RunFolder.read(folder)
    store = Store(settings)
    if not again and (known := _logged(store, content)):
        return known
    run_id = store.start(content.record["name"], process_tags(), content.started)
    try:
        log_content(store, run_id, content)
    except BaseException:
        store.end(run_id, "FAILED")
        raise
    store.end(run_id, "FINISHED", content.ended)
    return run_id


def log_content(store: Store, run_id: str, content: RunFolder) -> None:
    """Log all that a run folder holds; the tag with its identity comes last and so means that all is there."""
    moment = now()
    store.log_folder(run_id, content.path)
    store.log_params(run_id, content.params)
    store.log_points(run_id, [Point(name, value, 0, moment) for name, value in content.metrics.items()])
    store.log_tags(run_id, content.tags)
    store.log_tags(run_id, {FOLDER: content.identity})


def log_later(folder: Path) -> str:
    """The sentence that says how to log a folder once the store answers, or into another one."""
    line = f"spinloom track {shlex.quote(str(folder))}"
    return f"The results are kept in {folder}; log them later with `{line}`, or elsewhere with `{line} --uri URI`."


def _logged(store: Store, content: RunFolder) -> str | None:
    condition = f"tags.`{FOLDER}` = '{content.identity}' and attributes.status = 'FINISHED'"
    found = store.search(condition, limit=1, everywhere=True)
    return found[0].run_id if found else None
