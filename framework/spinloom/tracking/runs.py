"""A run in progress, from its start to its end, whatever happens in between.

A store that cannot be reached never stops the work: the run goes on untracked, and only when its folder is to be
logged does the error come, with the results safe on disk and a way to log them later.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from pathlib import Path

from spinloom.errors import SpinloomError, TrackingError
from spinloom.tracking.finished import log_content, log_later
from spinloom.tracking.folder import RunFolder
from spinloom.tracking.metrics import Direction, MetricBuffer
from spinloom.tracking.process import process_tags
from spinloom.tracking.settings import TrackingSettings
from spinloom.tracking.store import Store

log = logging.getLogger(__name__)

PARENT = "mlflow.parentRunId"
"""Tag by which a run names the run of its sweep."""

PRUNED = "spinloom.pruned"
"""Tag of a run that a search ended early: why."""


class PrunedError(SpinloomError):
    """A trial that its search ends early, which is no failure: why it does."""


class Run:
    """A run in progress.

    run_id: of the store; None where tracking is off or the store cannot be reached
    """

    def __init__(
        self,
        settings: TrackingSettings,
        name: str,
        tags: Mapping[str, str],
        directions: Mapping[str, Direction],
        resume: str | None = None,
    ) -> None:
        self.run_id: str | None = None
        self._resume = resume
        self._settings, self._name, self._tags = settings, name, tags
        self._buffer = MetricBuffer(directions)
        self._store: Store | None = None
        self._down = False
        self._status = "FINISHED"

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log values of one step, such as an epoch; they reach the store in batches, the last by the run's end."""
        if not self._settings.enabled:
            return
        self._buffer.add(metrics, step)
        if self._buffer.is_due() and self._store is not None and not self._down:
            try:
                self._flush()
            except TrackingError as error:
                self._go_on_without(error)

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log parameters at once, before the run's folder has them, so that a run that fails has them too."""
        if self._store is not None and self.run_id is not None and not self._down:
            try:
                self._store.log_params(self.run_id, params)
            except TrackingError as error:
                self._go_on_without(error)

    def log_folder(self, folder: Path) -> None:
        """Log a finished run folder: its parameters, metrics, tags and all its files.

        Raises `TrackingError`, which says how to log the folder later, where the store fails.
        """
        if not self._settings.enabled:
            return
        content = RunFolder.read(folder)
        try:
            store, run_id = self._opened()
            self._flush()
            log_content(store, run_id, content)
        except TrackingError as error:
            self._down = True
            raise TrackingError(f"{error} {log_later(folder)}") from error

    def start(self) -> None:
        """Begin the run; where the store cannot be reached, warn and go on without it."""
        if self._settings.enabled:
            try:
                self._opened()
            except TrackingError as error:
                self._go_on_without(error)

    def finish(self) -> None:
        """End the run with all its metrics logged."""
        self._flush()
        if self._store is not None and self.run_id is not None:
            self._store.end(self.run_id, self._status)

    def fail(self, error: BaseException) -> None:
        """End the run as failed, or as killed by the user or a search; a store that fails now is let be.

        The traceback is kept, but not that of a trial that its search ends early.
        """
        if self._store is None or self.run_id is None or self._down:
            return
        killed = isinstance(error, (KeyboardInterrupt, PrunedError))
        try:
            if isinstance(error, PrunedError):
                self._store.log_tags(self.run_id, {PRUNED: str(error)})
            else:
                self._log_traceback(self._store, self.run_id, error)
            self._flush()
            self._store.end(self.run_id, "KILLED" if killed else "FAILED")
        except TrackingError as trouble:
            log.warning("%s The run could not be marked as failed.", trouble)

    def adopt_failure(self) -> None:
        """End as failed if a child has failed."""
        if self._store is not None:
            failed = f"tags.`{PARENT}` = '{self.run_id}' and attributes.status = 'FAILED'"
            self._status = "FAILED" if self._store.search(failed, limit=1) else "FINISHED"

    def _opened(self) -> tuple[Store, str]:
        """The store and the run's id in it, opened and begun at the first call that succeeds."""
        if self._store is None or self.run_id is None:
            store = Store(self._settings)
            store.close_abandoned()
            tags = {**process_tags(), **self._tags}
            reopened = self._resume is not None and store.reopen(self._resume, tags)
            self.run_id = self._resume if reopened else store.start(self._name, tags)
            self._store = store
        assert self.run_id is not None
        return self._store, self.run_id

    @staticmethod
    def _log_traceback(store: Store, run_id: str, error: BaseException) -> None:
        text = "".join(traceback.format_exception(error))
        line = traceback.format_exception_only(error)[-1].strip()
        store.log_text(run_id, "traceback.txt", text)
        store.log_tags(run_id, {"spinloom.error": line, "spinloom.traceback": text})

    def _flush(self) -> None:
        if self._store is not None and self.run_id is not None and self._buffer.points:
            self._store.log_points(self.run_id, self._buffer.points)
            self._buffer.points.clear()

    def _go_on_without(self, error: TrackingError) -> None:
        self._down = True
        log.warning("%s The run goes on, and its results will be kept.", error)
