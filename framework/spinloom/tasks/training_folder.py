"""What a training leaves in its run folder: the trained surrogate, its history, learning curve, report, record."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from spinloom import provenance
from spinloom.evaluation.canvas import save
from spinloom.evaluation.report import write_report
from spinloom.evaluation.training_figures import draw_learning_curve
from spinloom.evaluation.training_report import training_report
from spinloom.interfaces import Surrogate
from spinloom.learning.artefact import save_surrogate
from spinloom.learning.settings import TrainingSettings
from spinloom.learning.training import Trained
from spinloom.sequence_sources import sequence_content
from spinloom.tasks.clock import Clock
from spinloom.tasks.record import run_record, without_password
from spinloom.tasks.wording import provenance_facts
from spinloom.tracking import RUN_FILE

MODEL = "model"
"""Folder of the trained surrogate within that of its run."""

SEQUENCE = "sequence.seq"
"""File of the one sequence whose fresh samples were learned from; a set holds its own, and a family draws them anew."""


@dataclass(frozen=True, eq=False)
class Training:
    """A training that is done and not yet written.

    config: resolved, as plain containers
    name, architecture: by which the plugin builds the surrogate
    facts: what it was learned from
    run_id: of the tracking store, or None
    """

    title: str
    config: Mapping[str, Any]
    name: str
    architecture: Mapping[str, Any]
    surrogate: Surrogate
    settings: TrainingSettings
    trained: Trained
    facts: Mapping[str, Any]
    started: datetime
    run_id: str | None

    @property
    def metrics(self) -> dict[str, float]:
        """Of the epoch whose weights are kept."""
        best = self.trained.history[self.trained.best - 1].metrics
        return {**best, "best_epoch": self.trained.best, "epochs": len(self.trained.history)}

    @property
    def parameters(self) -> int:
        """Numbers that the network learned."""
        return sum(tensor.numel() for tensor in self.trained.weights.values())


def describe(done: Training) -> tuple[str, ...]:
    """What was trained and how far it came, in sentences."""
    return (
        f"Surrogate '{done.name}', {done.parameters:,} parameters: {len(done.trained.history)} epochs, "
        f"{done.trained.steps:,} steps.",
        f"Kept are the weights of epoch {done.trained.best}: validation NRMSE "
        f"{100 * done.metrics['validation_nrmse']:.3g} %, running free.",
    )


def write_training(folder: Path, done: Training, clock: Clock) -> None:
    """Write everything into `folder`, the record `run.json` last."""
    history = [dict(epoch.metrics) for epoch in done.trained.history]
    configuration = yaml.safe_dump(without_password(done.config), sort_keys=False)
    with clock.step("write"):
        save_surrogate(folder / MODEL, done.surrogate, done.name, done.architecture, done.trained.weights, _facts(done))
        (folder / "config.yaml").write_text(configuration, encoding="utf-8")
        if done.config["set"] is None and done.config.get("protocols") is None:
            (folder / SEQUENCE).write_bytes(sequence_content(done.config["sequence"]))
        with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, ("epoch", *history[0]), lineterminator="\n")
            table.writeheader()
            table.writerows({"epoch": number, **metrics} for number, metrics in enumerate(history, 1))
        figure = draw_learning_curve(history, done.trained.best)
        (folder / "figures").mkdir()
        for suffix in ("svg", "png"):
            save(figure, folder / "figures" / f"learning_curve.{suffix}")
    record = _record(done, clock)
    report = training_report(
        title=f"Training of {done.name}",
        summary=describe(done),
        highlights={
            "Validation NRMSE": f"{100 * done.metrics['validation_nrmse']:.3g} %",
            "Epochs": f"{len(done.trained.history)}",
            "Parameters": f"{done.parameters:,}",
        },
        figure=(folder / "figures" / "learning_curve.svg").read_bytes(),
        history=history,
        inputs=done.surrogate.inputs,
        learned_from=_learned_from(done),
        timings=clock.timings,
        provenance=provenance_facts(record),
        config=configuration,
    )
    write_report(folder / "report.html", report)
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _facts(done: Training) -> dict[str, Any]:
    """What the record of the trained surrogate says of how it came about."""
    return {
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "training": {**asdict(done.settings), "seed": done.config["seed"], "device": done.trained.device},
        "metrics": done.metrics,
        "started": done.started.isoformat(),
        "run_id": done.run_id,
        **done.facts,
    }


def _learned_from(done: Training) -> dict[str, str]:
    facts, made = done.facts, done.facts["made_by"]
    where = f"set {facts['set']['path']}" if facts["set"] else "fresh samples each epoch"
    simulators, sequences = made["simulator"], made["sequence"]
    if "name" not in simulators:  # by set, where sets differ
        simulators = {"name": ", ".join(sorted({str(each["name"]) for each in simulators.values()}))}
    if isinstance(sequences, Mapping):
        sequences = "; ".join(f"{name}: {each}" for name, each in sequences.items())
    rows = {"Samples": where, "Simulator": str(simulators["name"]), "Sequence": str(sequences)}
    if facts["set"]:
        rows |= {"Digest of the set": facts["set"]["digest"], "Samples of the set": f"{facts['set']['samples']:,}"}
    return {**rows, "Sequences": f"{len(facts['sequences'])}", "First SHA-256": facts["sequences"][0]}


def training_params(
    name: str, architecture: Mapping[str, Any], settings: TrainingSettings, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Parameters of a training's run, all known before it begins."""
    digest = {"set": facts["set"]["path"], "digest": facts["set"]["digest"]} if facts["set"] else {}
    return {
        "surrogate": name,
        **{f"surrogate.{key}": value for key, value in architecture.items()},
        **{f"training.{key}": value for key, value in asdict(settings).items()},
        **digest,
    }


def _record(done: Training, clock: Clock) -> dict[str, Any]:
    """The content of `run.json`."""
    params = training_params(done.name, done.architecture, done.settings, done.facts)
    record = run_record(
        task="train",
        name=done.title,
        config=done.config,
        params={**params, "parameters": done.parameters},
        metrics=done.metrics,
        timings=clock.timings,
        tags={"surrogate": done.name},
        device=done.trained.device,
        started=done.started,
        run_id=done.run_id,
    )
    return {**record, "sequence": {"sha256": done.facts["sequences"][0], "count": len(done.facts["sequences"])}}
