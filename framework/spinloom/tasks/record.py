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
    simulator = {f"simulator.{key}": value for key, value in config["simulator"].items()}
    return {
        "task": "simulate",
        "name": name,
        "spinloom": provenance.versions()["spinloom"],
        "command": sys.argv[0].split() + sys.argv[1:],
        "started": started.isoformat(),
        "params": {"sequence": config["sequence"], **params, **simulator},
        "metrics": dict(metrics),
        "tags": {"simulator": config["simulator"]["name"]},
        "timings": dict(timings),
        "seed": config["seed"],
        "device": str(config["simulator"].get("device", "cpu")),
        "sequence": {"name": Path(timeline.source).stem, "sha256": timeline.sha256},
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "machine": provenance.machine(),
        "run_id": run_id,
    }


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
