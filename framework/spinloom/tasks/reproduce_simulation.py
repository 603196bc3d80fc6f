"""A logged simulation, simulated again from its own configuration and sequence, and the two signals compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from spinloom.errors import OutputError
from spinloom.interfaces import KSpace, Signal, Subject
from spinloom.kspace_files import read_kspace
from spinloom.sequence.read import read_sequence
from spinloom.signal_files import read_signal
from spinloom.tasks.reproduction import Repeated
from spinloom.tasks.simulate import build_simulator
from spinloom.tasks.simulation_folder import kept_table
from spinloom.tissue.batches import TABLE, plan_batch
from spinloom.tissue.phantoms.phantom_files import read_phantom

ROUNDING = {torch.float64: 1e-12, torch.float32: 1e-6}
"""Difference of the signal that another order of additions may make, in units of M0."""


def repeat_simulation(folder: Path, record: Mapping[str, Any], config: dict[str, Any]) -> Repeated:
    """Simulate again what the run folder `folder` holds."""
    before = _values(_logged(folder))
    timeline = read_sequence(folder / "sequence.seq")
    subject = _subject(folder, config)
    if timeline.sha256 != record["sequence"]["sha256"]:
        raise OutputError(
            f"The sequence in run '{record['name']}' is not the one that it played: its hash has changed."
        )
    torch.manual_seed(config["seed"])
    now = _values(build_simulator(config["simulator"]).simulate(timeline, subject))
    difference = max(_largest(now[name], before[name]) for name in before)
    return Repeated(
        identical=all(torch.equal(now[name].cpu(), before[name]) for name in before),
        agrees=difference <= ROUNDING[next(iter(before.values())).real.dtype],
        differences=(f"the signals differ by up to {difference:.3g} M0",),
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
