"""The folder that a task leaves behind, read as a run: what of it becomes parameters, metrics and tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from spinloom.errors import TrackingError
from spinloom.tracking.settings import TrackingSettings

RUN_FILE = "run.json"
CONFIG_FILE = "config.yaml"


@dataclass(frozen=True)
class RunFolder:
    """A finished run on disk.

    path: of the folder
    record: its `run.json`
    """

    path: Path
    record: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> RunFolder:
        """Read `run.json` of the folder `path`; `TrackingError` where it is missing or holds no run."""
        file = path / RUN_FILE
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            what = "has no run.json" if path.is_dir() else "is a file" if path.exists() else "does not exist"
            raise TrackingError(
                f"'{path}' is not a run folder: it {what}. Name the folder that a task wrote, its output=DIR."
            ) from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise TrackingError(f"'{file}' cannot be read: {error}. Run the task again into another folder.") from error
        for key in ("task", "name"):
            if not isinstance(record, dict) or not isinstance(record.get(key), str):
                raise TrackingError(f"'{file}' holds no run: it lacks '{key}'. Name a folder that a task wrote.")
        return cls(path, record)

    @property
    def identity(self) -> str:
        """What tells this run from every other, wherever its folder lies: a hash of its record."""
        record = {key: value for key, value in self.record.items() if key != "run_id"}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    @property
    def settings(self) -> TrackingSettings:
        """Where the run was meant to be tracked, by its own configuration; the local store where it does not say."""
        try:
            config = yaml.safe_load((self.path / CONFIG_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return TrackingSettings()
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise TrackingError(f"'{self.path / CONFIG_FILE}' cannot be read: {error}.") from error
        tracking = config.get("tracking") if isinstance(config, dict) else None
        return TrackingSettings.from_config({**(tracking or {}), "enabled": True})

    @property
    def params(self) -> dict[str, object]:
        """Parameters of the run, with its seed and device."""
        extra = {key: self.record[key] for key in ("seed", "device") if self.record.get(key) is not None}
        return extra | self._part("params")

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics of the run, and its timings [s] as `timings/<name>`; what was not measured is left out."""
        timings = {f"timings/{name}": value for name, value in self._part("timings").items()}
        every = self._part("metrics") | timings
        return {name: float(value) for name, value in every.items() if isinstance(value, (int, float))}

    @property
    def tags(self) -> dict[str, object]:
        """What the run was made from and with: sequence, versions, git revision, command."""
        command = self.record.get("command") or []
        tags = {
            "spinloom.task": self.record["task"],
            "spinloom.version": self.record.get("spinloom"),
            "spinloom.command": " ".join(command) if isinstance(command, list) else command,
            "mlflow.source.git.commit": self._part("git").get("revision"),
            **{f"sequence.{key}": value for key, value in self._part("sequence").items()},
            **{f"version.{key}": value for key, value in self._part("versions").items()},
            **{f"git.{key}": value for key, value in self._part("git").items()},
            **self._part("tags"),
        }
        return {name: value for name, value in tags.items() if value is not None}

    @property
    def started(self) -> int | None:
        """When the run began [ms since 1970], if it says so."""
        try:
            return int(datetime.fromisoformat(str(self.record.get("started"))).timestamp() * 1000)
        except ValueError:
            return None

    @property
    def ended(self) -> int:
        """When the folder was complete [ms since 1970]."""
        return int((self.path / RUN_FILE).stat().st_mtime * 1000)

    def _part(self, key: str) -> dict[str, Any]:
        part = self.record.get(key)
        return dict(part) if isinstance(part, dict) else {}
