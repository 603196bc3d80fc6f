"""Opening an MLflow store: import MLflow and keep it quiet, then get or create the experiment."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spinloom.errors import TrackingError
from spinloom.tracking.failure import telling
from spinloom.tracking.locking import opening_lock
from spinloom.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient

ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""What MLflow reads from the environment; a variable that is set already stays as it is."""

_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
"""For the first request of all, which asks whether the server is there; times in s."""


def open_client(settings: TrackingSettings) -> tuple[MlflowClient, str]:
    """Client of the store and the id of its experiment, both made where they are missing; `TrackingError` if not."""
    with _opening(settings) as client:
        return client, _experiment(client, settings)


def open_for_reading(settings: TrackingSettings) -> tuple[MlflowClient, dict[str, str]]:
    """Client of a store that is there, and the ids of its experiments by their names; no experiment is made.

    Raises `TrackingError` where nothing has been tracked yet and where the store cannot be used.
    """
    require_file(settings)
    with _opening(settings) as client:
        return client, {str(found.name): str(found.experiment_id) for found in client.search_experiments()}


def require_file(settings: TrackingSettings) -> None:
    """Raise `TrackingError` where the store is a file that is not there."""
    if settings.database_file is not None and not settings.database_file.is_file():
        raise TrackingError(
            f"Nothing is tracked in {settings.database_file} yet; run `spinloom simulate` first, here or where your "
            f"runs are, or name another store with --uri URI."
        )


@contextmanager
def _opening(settings: TrackingSettings) -> Iterator[MlflowClient]:
    """MLflow imported and quiet, and a client whose first request is made alone and answered at once."""
    _prepare_environment()
    with telling(settings):
        from mlflow import MlflowClient

        # Both write what `telling` is about to tell, at length.
        for chatty in ("mlflow.store.db.utils", "urllib3.connectionpool"):
            logging.getLogger(chatty).setLevel(logging.CRITICAL)
        with opening_lock(settings), _impatience():
            yield MlflowClient(tracking_uri=settings.store_uri)


def require_answer(settings: TrackingSettings) -> None:
    """Raise `TrackingError` where the store's database does not answer."""
    _prepare_environment()
    with telling(settings), opening_lock(settings):
        return


def _prepare_environment() -> None:
    """To be done before MLflow is imported, which reads some of it only then."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _experiment(client: MlflowClient, settings: TrackingSettings) -> str:
    """Id of the experiment by its name; another process may make it at the same moment."""
    from mlflow.exceptions import MlflowException

    if client.get_experiment_by_name(settings.experiment) is None:
        try:
            client.create_experiment(settings.experiment, settings.artifact_uri)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    found = client.get_experiment_by_name(settings.experiment)
    assert found is not None
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"The experiment '{settings.experiment}' of {settings.shown_uri} is deleted; name another with "
            f"tracking.experiment=NAME, or restore it with `MLFLOW_TRACKING_URI={settings.shown_uri} "
            f"mlflow experiments restore --experiment-id {found.experiment_id}`."
        )
    return str(found.experiment_id)


@contextmanager
def _impatience() -> Iterator[None]:
    """Wait little and try once for the length of the block, unless the user's environment says otherwise."""
    ours = {name: value for name, value in _IMPATIENT.items() if os.environ[name] == ENVIRONMENT[name]}
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.update({name: ENVIRONMENT[name] for name in ours})
