"""Reproduce: run a logged run again from what it logged, and say whether the same comes out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from spinloom import provenance
from spinloom.errors import OutputError
from spinloom.tasks.reproduce_learning import repeat_evaluation, repeat_set, repeat_training
from spinloom.tasks.reproduce_simulation import repeat_simulation
from spinloom.tasks.reproduction import Repeated, Reproduction
from spinloom.tracking import TrackingSettings, at_work, download_run

_REPEATED: Mapping[str, Callable[[Path, Mapping[str, Any], dict[str, Any]], Repeated]] = {
    "simulate": repeat_simulation,
    "generate": repeat_set,
    "train": repeat_training,
    "evaluate": repeat_evaluation,
}
"""How a run of a task is repeated, from its folder, its record and its configuration."""


def reproduce(run: str, settings: TrackingSettings) -> Reproduction:
    """Run `run`, the id of a tracked run or the path of a run folder, again from its own configuration.

    Raises `TrackingError` for a run that is not there and `OutputError` for one that is not whole, that is of a task
    which cannot be repeated, or whose sequence, set or model is no longer what it was.
    """
    with tempfile.TemporaryDirectory(prefix="spinloom-") as into, at_work(settings):
        folder = download_run(run, settings, Path(into))
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if record.get("task") not in _REPEATED:
            raise OutputError(_refusal(run, record.get("task")))
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        repeated = _REPEATED[record["task"]](folder, record, config)
    return Reproduction(record["name"], repeated, _changes(record["versions"], provenance.versions()))


def _refusal(run: str, task: str | None) -> str:
    if task == "tune":
        return (
            f"Run '{run}' is a search, which is not repeated as one: each of its trials is a run of its own that "
            "`spinloom reproduce` takes; `spinloom runs show ID` lists them."
        )
    return f"'{run}' is a run of task '{task}'; `spinloom reproduce` repeats {', '.join(_REPEATED)}."


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} {old} -> {now.get(name, 'none')}" for name, old in before.items() if now.get(name, "none") != old
    )
