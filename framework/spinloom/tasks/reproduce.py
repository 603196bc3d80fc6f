"""Reproduce: simulate a logged run again from what it logged, and compare the signals."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from spinloom import provenance
from spinloom.errors import OutputError
from spinloom.sequence.read import read_sequence
from spinloom.signal_files import read_signal
from spinloom.tasks.simulate import build_simulator
from spinloom.tasks.simulation_folder import kept_table
from spinloom.tissue.batches import TABLE, TissueBatch, plan_batch
from spinloom.tracking import TrackingSettings, download_run

ROUNDING = {torch.float64: 1e-12, torch.float32: 1e-6}
"""Difference of the signal that another order of additions may make, in units of M0."""


@dataclass(frozen=True)
class Reproduction:
    """How a run compares with its repetition.

    identical: whether every number is the same, bit for bit
    difference: largest difference of Mz and |Mxy|, in units of M0
    agrees: whether the difference is no more than rounding
    changed: packages that have another version now, as `name old -> new`
    """

    name: str
    identical: bool
    difference: float
    agrees: bool
    changed: tuple[str, ...]


def reproduce(run: str, settings: TrackingSettings) -> Reproduction:
    """Run `run`, the id of a tracked run or the path of a run folder, again from its own configuration and sequence.

    Raises `TrackingError` for a run that is not there and `OutputError` for one that is not whole.
    """
    with tempfile.TemporaryDirectory(prefix="spinloom-") as into:
        folder = download_run(run, settings, Path(into))
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        config = _configuration(folder, record)
        before = read_signal(folder / "signal.zarr")
        timeline = read_sequence(folder / "sequence.seq")
        batch = _tissues(folder, config)
    if timeline.sha256 != record["sequence"]["sha256"]:
        raise OutputError(f"The sequence in run '{run}' is not the one that it played: its hash has changed.")
    torch.manual_seed(config["seed"])
    now = build_simulator(config["simulator"]).simulate(timeline, batch.tissue)
    differences = [_largest(now.mz, before.mz), _largest(now.mxy, before.mxy)]
    return Reproduction(
        name=record["name"],
        identical=torch.equal(now.mz.cpu(), before.mz) and torch.equal(now.mxy.cpu(), before.mxy),
        difference=max(differences),
        agrees=max(differences) <= ROUNDING[before.mz.dtype],
        changed=_changes(record["versions"], provenance.versions()),
    )


def _configuration(folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    if record.get("task") != "simulate":
        raise OutputError(f"{folder} holds a run of task '{record.get('task')}'; reproduce knows 'simulate'.")
    config: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    return config


def _tissues(folder: Path, config: dict[str, Any]) -> TissueBatch:
    """The tissues of the run, those of a table from the copy that the run kept."""
    mapping = config["tissue"]
    if mapping.get(TABLE) is not None:
        mapping = {**mapping, TABLE: kept_table(folder)}
    return plan_batch(mapping, config["names"]["tissue"], config.get("samples")).build(config["seed"])


def _largest(now: torch.Tensor, before: torch.Tensor) -> float:
    if now.shape != before.shape:
        raise OutputError(f"The run had a signal of shape {tuple(before.shape)}, its repetition {tuple(now.shape)}.")
    return float((now.cpu() - before).abs().max())


def _changes(before: dict[str, str], now: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} {old} -> {now.get(name, 'none')}" for name, old in before.items() if now.get(name, "none") != old
    )
