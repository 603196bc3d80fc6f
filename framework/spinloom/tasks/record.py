"""What a run says of itself: the content of `run.json`, and the attributes of its arrays."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from spinloom import provenance
from spinloom.sequence.timeline import Timeline
from spinloom.tracking import TrackingSettings


def run_record(
    *,
    task: str,
    name: str,
    config: Mapping[str, Any],
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    timings: Mapping[str, float],
    tags: Mapping[str, str],
    device: str,
    started: datetime,
    run_id: str | None,
) -> dict[str, Any]:
    """The content of a run's `run.json`."""
    return {
        "task": task,
        "name": name,
        "spinloom": provenance.versions()["spinloom"],
        "command": sys.argv[0].split() + sys.argv[1:],
        "started": started.isoformat(),
        "params": dict(params),
        "metrics": dict(metrics),
        "tags": dict(tags),
        "timings": dict(timings),
        "seed": config["seed"],
        "device": device,
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "machine": provenance.machine(),
        "run_id": run_id,
    }


def simulation_record(
    *,
    name: str,
    config: Mapping[str, Any],
    timeline: Timeline,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    timings: Mapping[str, float],
    started: datetime,
    run_id: str | None,
) -> dict[str, Any]:
    """The content of a simulation's `run.json`; the parameters of its simulator are added to `params`."""
    record = run_record(
        task="simulate",
        name=name,
        config=config,
        params={"sequence": config["sequence"], **params, **simulator_params(config)},
        metrics=metrics,
        timings=timings,
        tags={"simulator": config["simulator"]["name"]},
        device=str(config["simulator"].get("device", "cpu")),
        started=started,
        run_id=run_id,
    )
    return {**record, "sequence": {"name": Path(timeline.source).stem, "sha256": timeline.sha256}}


def simulator_params(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the simulator as parameters of a run."""
    return {f"simulator.{key}": value for key, value in config["simulator"].items()}


def array_attributes(config: Mapping[str, Any], timeline: Timeline) -> dict[str, Any]:
    """What arrays on disk say of the run that they came from."""
    return {
        "sequence_sha256": timeline.sha256,
        "config": without_password(config),
        "versions": provenance.versions(),
    }


def without_password(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as it may be shown."""
    settings = TrackingSettings.from_config(config["tracking"])
    shown = settings.shown_uri if settings.uri else None
    return {**config, "tracking": {**config["tracking"], "uri": shown}}
