"""Fetching what a run logged, by its id, to run it again or to look at it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from spinloom.errors import TrackingError
from spinloom.tracking.failure import telling
from spinloom.tracking.folder import RUN_FILE
from spinloom.tracking.settings import TrackingSettings, ui_command
from spinloom.tracking.store import FoundRun, Store


def download_run(run: str, settings: TrackingSettings, into: Path) -> Path:
    """The run folder of `run`: itself where it is one, else `into/<id>` with all that the run of that id logged.

    The folder appears whole or not at all, and stays as it is where it was fetched before.  Raises `TrackingError`
    for an id that the store does not have, a run that logged no folder, or a store that cannot be reached.
    """
    if (Path(run) / RUN_FILE).is_file():
        return Path(run)
    store = Store(settings)
    found = store.get(run)
    if found is None:
        raise TrackingError(_unknown(run, store))
    target = into / found.run_id
    if not target.exists():
        _fetch(store, found, target)
    return target


def _fetch(store: Store, run: FoundRun, target: Path) -> None:
    """Download beside `target` and move it there when all has come."""
    with telling(store.settings):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{run.run_id}-", dir=target.parent))
        try:
            store.download(run.run_id, part)
            if not (part / RUN_FILE).is_file():
                raise TrackingError(
                    f"Run {run.run_id} ('{run.name}', {run.status}) logged no results, so there is no {RUN_FILE} to "
                    f"go by; look at it with `{ui_command(store.settings)}`."
                )
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _unknown(run: str, store: Store) -> str:
    latest = store.search("attributes.status = 'FINISHED'", limit=5)
    listing = ", ".join(f"{found.run_id} ('{found.name}')" for found in latest) or "none"
    return (
        f"The tracking store {store.settings.shown_uri} has no run '{run}', and no run folder has that path. "
        f"Latest in experiment '{store.settings.experiment}': {listing}; `{ui_command(store.settings)}` lists all."
    )
