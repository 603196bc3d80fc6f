"""An MLflow store with one of its experiments, and the few verbs that a run needs of it.

Only MLflow's client is used, never its global active run, so that runs of many processes and threads stay apart.
Everything is logged in batches that are whole when the call returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from spinloom.tracking.batches import (
    BATCH_METRICS,
    PARAMETER_LENGTH,
    TAG_LENGTH,
    Point,
    batches,
    finite,
    short_texts,
    storable_name,
    storable_names,
)
from spinloom.tracking.failure import telling
from spinloom.tracking.opening import open_client
from spinloom.tracking.process import HOST, host, is_abandoned
from spinloom.tracking.settings import TrackingSettings


@dataclass(frozen=True)
class FoundRun:
    """A run as a search finds it: its id, name, status and tags."""

    run_id: str
    name: str
    status: str
    tags: Mapping[str, str]


class Store:
    """The store and experiment of `settings`, made where they are missing.

    Every method raises `TrackingError` where the store fails.
    """

    def __init__(self, settings: TrackingSettings) -> None:
        self.settings = settings
        self._client, self._experiment = open_client(settings)

    def start(self, name: str, tags: Mapping[str, str], started: int | None = None) -> str:
        """Id of a new run that is marked as running since `started` [ms since 1970], or since now."""
        with telling(self.settings):
            run = self._client.create_run(self._experiment, started, dict(tags), name)
            return str(run.info.run_id)

    def reopen(self, run_id: str, tags: Mapping[str, str]) -> bool:
        """Mark a run as running again, what became of it before forgotten; False where the store has no such run."""
        found = self.get(run_id)
        if found is None:
            return False
        with telling(self.settings):
            self._client.update_run(run_id, status="RUNNING")
            for tag in ("spinloom.error", "spinloom.traceback"):
                if tag in found.tags:
                    self._client.delete_tag(run_id, tag)
        self.log_tags(run_id, tags)
        return True

    def end(self, run_id: str, status: str, ended: int | None = None) -> None:
        """Mark a run as `FINISHED`, `FAILED` or `KILLED`, at `ended` [ms since 1970] or now."""
        with telling(self.settings):
            self._client.set_terminated(run_id, status, ended)

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Log parameters; what is too long for one also goes whole into a file under `parameters/`."""
        from mlflow.entities import Param

        texts, files = short_texts(storable_names(params), PARAMETER_LENGTH, "parameters")
        with telling(self.settings):
            for batch in batches(texts):
                self._client.log_batch(run_id, params=[Param(name, text) for name, text in batch.items()])
        self._log_texts(run_id, files)

    def log_tags(self, run_id: str, tags: Mapping[str, object]) -> None:
        """Set tags; what is too long for one also goes whole into a file under `tags/`."""
        from mlflow.entities import RunTag

        texts, files = short_texts(storable_names(tags), TAG_LENGTH, "tags")
        with telling(self.settings):
            for batch in batches(texts):
                self._client.log_batch(run_id, tags=[RunTag(name, text) for name, text in batch.items()])
        self._log_texts(run_id, files)

    def log_points(self, run_id: str, points: Iterable[Point]) -> None:
        """Log values of metrics; an infinite one is stored as NaN and named by a tag."""
        from mlflow.entities import Metric

        stored, odd = finite([*points])
        remaining = iter(stored)
        with telling(self.settings):
            while batch := [*islice(remaining, BATCH_METRICS)]:
                metrics = [Metric(storable_name(p.name), p.value, p.time, p.step) for p in batch]
                self._client.log_batch(run_id, metrics=metrics)
        self.log_tags(run_id, odd)

    def log_folder(self, run_id: str, folder: Path) -> None:
        """Copy all files of a folder to the run."""
        with telling(self.settings):
            self._client.log_artifacts(run_id, str(folder))

    def _log_texts(self, run_id: str, files: Mapping[str, str]) -> None:
        with telling(self.settings):
            for name, text in files.items():
                self._client.log_text(run_id, text, name)

    def log_text(self, run_id: str, name: str, text: str) -> None:
        """Keep `text` as the run's file `name`."""
        self._log_texts(run_id, {name: text})

    def get(self, run_id: str) -> FoundRun | None:
        """The run of an id, whatever its experiment; None where the store has none."""
        from mlflow.exceptions import MlflowException

        with telling(self.settings):
            try:
                run = self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise
        return FoundRun(run.info.run_id, run.info.run_name, run.info.status, run.data.tags)

    def search(self, condition: str, limit: int = 1000, everywhere: bool = False) -> list[FoundRun]:
        """Runs, latest first, that meet a condition in MLflow's language, of the experiment or of all experiments."""
        with telling(self.settings):
            found = self._client.search_experiments() if everywhere else []
            experiments = [experiment.experiment_id for experiment in found] or [self._experiment]
            runs = self._client.search_runs(experiments, condition, max_results=limit)
        return [FoundRun(run.info.run_id, run.info.run_name, run.info.status, run.data.tags) for run in runs]

    def download(self, run_id: str, into: Path) -> None:
        """Copy all files of a run into an existing folder."""
        with telling(self.settings):
            self._client.download_artifacts(run_id, "", str(into))

    def close_abandoned(self) -> None:
        """Mark as `KILLED` what is marked as running although its process, on this host, is gone.

        A process ends its runs before it goes, so that a run of one that is gone is as it was left.
        """
        for run in self.search(f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{host()}'"):
            if is_abandoned(run.tags) and self._is_running(run.run_id):
                self.log_tags(run.run_id, {"spinloom.error": "its process was killed"})
                self.end(run.run_id, "KILLED")

    def _is_running(self, run_id: str) -> bool:
        found = self.get(run_id)
        return found is not None and found.status == "RUNNING"
