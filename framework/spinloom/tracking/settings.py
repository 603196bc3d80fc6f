"""Where runs go: the configuration group `tracking`, and what stands in for what it leaves out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from spinloom.errors import ConfigurationError, known_names

LOCAL_STORE = Path("mlruns")
"""Folder of the working directory that holds the local database and the files of its runs."""

_EXAMPLES = "sqlite:///runs.db, http://HOST:5000 or postgresql+psycopg://USER@HOST/DATABASE"


@dataclass(frozen=True)
class TrackingSettings:
    """Where runs are logged.

    enabled: whether runs are tracked at all
    uri: of the MLflow store; None is the database `mlruns/spinloom.db` of the working directory
    experiment: name of the MLflow experiment that holds the runs
    artifacts: folder or URI of the runs' files; None is the place that the store implies

    Raises `ConfigurationError` for a `uri` that is none and for an experiment without a name.
    """

    enabled: bool = True
    uri: str | None = None
    experiment: str = "spinloom"
    artifacts: str | None = None

    def __post_init__(self) -> None:
        scheme = re.match(r"([a-z][a-z0-9+.-]*):", self.uri or "sqlite:")
        if self.uri != "databricks" and (scheme is None or scheme[1] == "file"):
            raise ConfigurationError(
                f"tracking.uri is '{self.uri}', which is no URI of an MLflow database or server; "
                f"give one such as {_EXAMPLES}."
            )
        if not isinstance(self.experiment, str) or not self.experiment.strip():
            raise ConfigurationError(
                f"tracking.experiment is '{self.experiment}'; give a name, such as tracking.experiment=spinloom."
            )

    @classmethod
    def from_config(cls, mapping: Mapping[str, Any]) -> TrackingSettings:
        """Settings from the configuration group `tracking`; `ConfigurationError` for a key that it does not have."""
        known = [field.name for field in fields(cls)]
        for key in mapping:
            if key not in known:
                raise ConfigurationError(f"tracking.{key} is no key of the tracking. {known_names(key, known)}")
        return cls(**mapping)

    @property
    def store_uri(self) -> str:
        """URI of the store, the local database where none is given."""
        return self.uri or f"sqlite:///{(LOCAL_STORE / 'spinloom.db').absolute().as_posix()}"

    @property
    def shown_uri(self) -> str:
        """`store_uri` as messages show it: without a password."""
        without_user_password = re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1:***@", self.store_uri)
        return re.sub(r"(?<=password=)[^&]*", "***", without_user_password)

    @property
    def database_file(self) -> Path | None:
        """The file of an SQLite store; None for any other store."""
        if not self.store_uri.startswith("sqlite"):
            return None
        return Path(self.store_uri.partition(":///")[2].partition("?")[0])

    @property
    def is_server(self) -> bool:
        """Whether the store is a tracking server, which keeps its own database and files."""
        return self.store_uri.startswith(("http:", "https:", "databricks"))

    @property
    def artifact_uri(self) -> str | None:
        """URI that new experiments keep their files under; None where a server chooses.

        Files of a local database lie beside it, those of a database server in `mlruns/artifacts`.
        """
        if self.artifacts is not None:
            return self.artifacts if "://" in self.artifacts else Path(self.artifacts).absolute().as_uri()
        if self.is_server:
            return None
        folder = self.database_file.parent if self.database_file else LOCAL_STORE
        return (folder / "artifacts").absolute().as_uri()


def ui_command(settings: TrackingSettings) -> str:
    """The shell line that opens the page of tracked runs."""
    return "spinloom ui" if settings.uri is None else f"spinloom ui --uri {shlex.quote(settings.shown_uri)}"
