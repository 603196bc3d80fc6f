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
from spinloom.interfaces import KSpace, Signal, Subject
from spinloom.kspace_files import read_kspace
from spinloom.sequence.read import read_sequence
from spinloom.signal_files import read_signal
from spinloom.tasks.simulate import build_simulator
from spinloom.tasks.simulation_folder import kept_table
from spinloom.tissue.batches import TABLE, plan_batch
from spinloom.tissue.phantoms.phantom_files import read_phantom
from spinloom.tracking import TrackingSettings, download_run

ROUNDING = {torch.float64: 1e-12, torch.float32: 1e-6}
"""Difference of the signal that another order of additions may make, in units of M0."""


@dataclass(frozen=True)
class Reproduction:
    """How a run compares with its repetition.

    identical: whether every number is the same, bit for bit
    difference: largest difference of Mz and Mxy, or of the samples of k-space, in units of M0
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
        before = _values(_logged(folder))
        timeline = read_sequence(folder / "sequence.seq")
        subject = _subject(folder, config)
    if timeline.sha256 != record["sequence"]["sha256"]:
        raise OutputError(f"The sequence in run '{run}' is not the one that it played: its hash has changed.")
    torch.manual_seed(config["seed"])
    now = _values(build_simulator(config["simulator"]).simulate(timeline, subject))
    differences = [_largest(now[name], before[name]) for name in before]
    rounding = ROUNDING[next(iter(before.values())).real.dtype]
    return Reproduction(
        name=record["name"],
        identical=all(torch.equal(now[name].cpu(), before[name]) for name in before),
        difference=max(differences),
        agrees=max(differences) <= rounding,
        changed=_changes(record["versions"], provenance.versions()),
    )


def _logged(folder: Path) -> Signal | KSpace:
    """What the run measured: k-space of a phantom, or the signal of tissues."""
    kspace = folder / "kspace.zarr"
    return read_kspace(kspace) if kspace.is_dir() else read_signal(folder / "signal.zarr")


def _values(measured: Signal | KSpace) -> dict[str, torch.Tensor]:
    """The numbers that are compared, by name."""
    if isinstance(measured, KSpace):
        return {"samples": measured.samples.detach()}
    return {"mz": measured.mz.detach(), "mxy": measured.mxy.detach()}


def _configuration(folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    if record.get("task") != "simulate":
        raise OutputError(f"{folder} holds a run of task '{record.get('task')}'; reproduce knows 'simulate'.")
    config: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    return config


def _subject(folder: Path, config: dict[str, Any]) -> Subject:
    """The subject of the run: its phantom, or its tissues, those of a table from the copy that the run kept."""
    if (folder / "phantom.zarr").is_dir():
        return read_phantom(folder / "phantom.zarr")
    mapping = config["tissue"]
    if mapping.get(TABLE) is not None:
        mapping = {**mapping, TABLE: kept_table(folder)}
    return plan_batch(mapping, config["names"]["tissue"], config.get("samples")).build(config["seed"]).tissue


def _largest(now: torch.Tensor, before: torch.Tensor) -> float:
    if now.shape != before.shape:
        raise OutputError(f"The run had a signal of shape {tuple(before.shape)}, its repetition {tuple(now.shape)}.")
    return float((now.cpu() - before).abs().max())


def _changes(before: dict[str, str], now: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} {old} -> {now.get(name, 'none')}" for name, old in before.items() if now.get(name, "none") != old
    )
