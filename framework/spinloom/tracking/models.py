"""Trained models in a store: by the run that logged them, or by the name under which they were registered.

References are MLflow's own: `runs:/ID`, `models:/NAME` (its latest version), `models:/NAME/3`, `models:/NAME@ALIAS`.
Files are fetched and nothing more: none of MLflow's flavours is loaded, so that nothing is executed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from spinloom.errors import ConfigurationError, TrackingError, known_names
from spinloom.tracking.failure import telling
from spinloom.tracking.listing import find_run
from spinloom.tracking.opening import open_for_reading
from spinloom.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL = "model"
"""Folder of a run's files that holds what it trained."""

_RUN = re.compile(r"runs:/+(?P<run>\w+)(?:/(?P<folder>[^/].*))?|(?P<plain>[0-9a-f]{32})")
_NAMED = re.compile(r"models:/+(?P<name>[^/:]+?)(?:/(?P<version>\d+|latest)|@(?P<alias>[^/:@]+))?")


def is_reference(text: str) -> bool:
    """Whether `text` refers to a store, and is no path: it has MLflow's scheme, or is the whole id of a run."""
    return text.startswith(("runs:", "models:")) or (_RUN.fullmatch(text) is not None and not Path(text).exists())


def fetch_model(reference: str, settings: TrackingSettings, into: Path) -> Path:
    """The folder, somewhere below `into`, with the files of the model that `reference` names.

    Raises `TrackingError` where the store has no such run, model, version or alias, and says which it has.
    """
    run, named = _RUN.fullmatch(reference), _NAMED.fullmatch(reference)
    if run:
        return _fetch_of_run(run["run"] or run["plain"], run["folder"] or MODEL, settings, into)
    if not named:
        raise TrackingError(
            f"'{reference}' names no model; write runs:/ID, models:/NAME, models:/NAME/VERSION or models:/NAME@ALIAS."
        )
    client, _ = open_for_reading(settings)
    with telling(settings):
        version = _version(client, settings, named["name"], named["version"], named["alias"])
        return _download(client.get_model_version_download_uri(named["name"], version), settings, into)


def register_model(settings: TrackingSettings, run_id: str, name: str, alias: str | None = None) -> str:
    """Register what the run `run_id` trained as the next version of the model `name`; returns its reference.

    alias: that the version gets, and an earlier one loses
    """
    check_model_name(name)
    client, _ = open_for_reading(settings)
    with telling(settings):
        if name not in _names(client):
            _create(client, name)
        source = f"{client.get_run(run_id).info.artifact_uri}/{MODEL}"
        _require_files(client, run_id, MODEL)
        version = client.create_model_version(name, source, run_id, tags={"spinloom.task": "train"}).version
        if alias is not None:
            client.set_registered_model_alias(name, alias, str(version))
    return f"models:/{name}/{version}"


def check_model_name(name: str) -> None:
    """Raise `ConfigurationError` where no model can be registered under `name`."""
    if not isinstance(name, str) or not re.fullmatch(r"[^/:@]*[^/:@.\s][^/:@]*", name):
        raise ConfigurationError(
            f"'{name}' cannot be the name of a registered model; take letters, digits, '-', '_', '.', such as apt."
        )


def registered_models(settings: TrackingSettings) -> list[str]:
    """Names of the models that a store has; none where it cannot be reached."""
    try:
        client, _ = open_for_reading(settings)
        with telling(settings):
            return _names(client)
    except TrackingError:
        return []


def _fetch_of_run(beginning: str, folder: str, settings: TrackingSettings, into: Path) -> Path:
    run = find_run(settings, beginning)
    client, _ = open_for_reading(settings)
    with telling(settings):
        _require_files(client, run.run_id, folder)
        return Path(client.download_artifacts(run.run_id, folder, str(into)))


def _require_files(client: MlflowClient, run_id: str, folder: str) -> None:
    if not client.list_artifacts(run_id, folder):
        raise TrackingError(
            f"Run {run_id} has no folder '{folder}' among its files, so it trained nothing that was kept; name a run "
            "of `spinloom train` (`spinloom runs --task train` lists them)."
        )


def _version(
    client: MlflowClient, settings: TrackingSettings, name: str, version: str | None, alias: str | None
) -> str:
    """Number of the version that is meant."""
    names = _names(client)
    if name not in names:
        raise TrackingError(
            f"The tracking store {settings.shown_uri} has no registered model '{name}'. {known_names(name, names)}"
        )
    if alias is not None:
        aliases = client.get_registered_model(name).aliases
        if alias not in aliases:
            raise TrackingError(f"Model '{name}' has no alias '{alias}'. {known_names(alias, aliases)}")
        return str(aliases[alias])
    numbers = sorted(int(found.version) for found in client.search_model_versions(f"name = '{_quoted(name)}'"))
    wanted = numbers[-1:] if version in (None, "latest") else [int(str(version))]
    if not set(wanted) & set(numbers):
        raise TrackingError(
            f"Model '{name}' has no version {version or 'at all'}; "
            f"it has {', '.join(map(str, numbers)) or 'none: train one with register=NAME'}."
        )
    return str(wanted[0])


def _names(client: MlflowClient) -> list[str]:
    names: list[str] = []
    token: str | None = None
    while True:
        page = client.search_registered_models(max_results=1000, page_token=token)
        names += [str(model.name) for model in page]
        token = page.token
        if not token:
            return names


def _quoted(name: str) -> str:
    return name.replace("'", "''")


def _create(client: MlflowClient, name: str) -> None:
    """Make a registered model; another process may make it at the same moment."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _download(source: str, settings: TrackingSettings, into: Path) -> Path:
    from mlflow.artifacts import download_artifacts

    return Path(download_artifacts(artifact_uri=source, dst_path=str(into), tracking_uri=settings.store_uri))
