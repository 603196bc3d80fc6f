"""What an evaluation leaves in its run folder: errors as numbers and figures, signals, report, record."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from spinloom.evaluation.canvas import save
from spinloom.evaluation.report import write_report
from spinloom.evaluation.surrogate_errors import Binned, Comparison, against_numbers, overall
from spinloom.evaluation.surrogate_figures import draw_examples, draw_numbers, draw_scatter, draw_steps
from spinloom.evaluation.surrogate_report import surrogate_report
from spinloom.learning.trained_surrogate import TrainedSurrogate
from spinloom.sequence.timeline import Timeline
from spinloom.tasks.clock import Clock
from spinloom.tasks.record import run_record, simulator_params, without_password
from spinloom.tasks.wording import provenance_facts
from spinloom.tracking import RUN_FILE

_WORDS = {"mz_over_m0": "Mz / M₀", "mxy_abs": "|Mxy|"}


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is done and not yet written.

    seconds: processor time of simulator and network [s]
    notes: on inputs outside the valid range, and of the simulator
    run_id: of the tracking store, or None
    """

    name: str
    config: Mapping[str, Any]
    trained: TrainedSurrogate
    found: Comparison
    seconds: Mapping[str, float]
    notes: tuple[str, ...]
    started: datetime
    run_id: str | None

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Errors over all, and the time of a signal."""
        samples = len(self.found.exact)
        each = {f"{name}_seconds_per_signal": spent / samples for name, spent in self.seconds.items()}
        ratio = self.seconds["simulator"] / max(self.seconds["network"], 1e-12)
        return {**overall(self.found), **each, "times_faster": ratio, "samples": samples}

    @cached_property
    def binned(self) -> dict[str, Binned]:
        """The error against each number."""
        return against_numbers(self.found)


def describe(done: Evaluation) -> tuple[str, ...]:
    """How far the network lies from the simulator, and how fast both are, in sentences."""
    m = done.metrics
    sentences = [
        f"{m['samples']:,} samples: NRMSE {100 * m['nrmse']:.3g} %, r {m['pearson_r']:.6f} (p {m['pearson_p']:.2g}), "
        f"bias {m['bias']:.2g}, worst error {m['max_abs_error']:.3g}.",
    ]
    if done.binned:
        name, bins = max(done.binned.items(), key=lambda item: item[1].nrmse.max())
        low, high = bins.edges[bins.worst : bins.worst + 2]
        sentences.append(f"Weakest: {name} from {low:.4g} to {high:.4g}, NRMSE {100 * bins.nrmse.max():.3g} %.")
    sentences.append(
        f"A signal takes the simulator {1e6 * m['simulator_seconds_per_signal']:,.3g} µs and the network "
        f"{1e6 * m['network_seconds_per_signal']:,.3g} µs of processor time."
    )
    return (*sentences, *(note for note in done.notes if "valid range" in note))


def write_evaluation(folder: Path, done: Evaluation, sequences: Sequence[Timeline], clock: Clock) -> None:
    """Write everything into `folder`, the record `run.json` last."""
    configuration = yaml.safe_dump(without_password(done.config), sort_keys=False)
    with clock.step("write"):
        (folder / "config.yaml").write_text(configuration, encoding="utf-8")
        _write_tables(folder, done)
        figures = _draw(folder / "figures", done)
    record = _record(done, sequences, clock)
    report = surrogate_report(
        title=f"Evaluation of {done.trained.name}",
        summary=describe(done),
        figures=figures,
        metrics=done.metrics,
        binned=done.binned,
        units=done.found.units,
        notes=done.notes,
        inputs=done.trained.inputs,
        model=_model(done),
        timings=clock.timings,
        provenance=provenance_facts(record),
        config=configuration,
    )
    write_report(folder / "report.html", report)
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _write_tables(folder: Path, done: Evaluation) -> None:
    """The error against each number and each measurement."""
    with (folder / "errors_by_number.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("number", "unit", "from", "to", "nrmse"))
        for name, bins in done.binned.items():
            for low, high, value in zip(bins.edges[:-1], bins.edges[1:], bins.nrmse, strict=True):
                table.writerow((name, done.found.units[name], *(repr(float(x)) for x in (low, high, value))))
    rows = np.column_stack([np.arange(1, done.found.step_nrmse.size + 1), done.found.step_nrmse])
    header = "measurement,nrmse"
    np.savetxt(folder / "errors_by_measurement.csv", rows, ("%d", "%.6g"), ",", header=header, comments="")


def _draw(folder: Path, done: Evaluation) -> dict[str, bytes]:
    """Write every figure as SVG and PNG; returns the SVG by name."""
    folder.mkdir()
    words = _WORDS[done.trained.surrogate.quantity]
    drawn = {
        "examples": draw_examples(done.found, words),
        "scatter": draw_scatter(done.found, words, done.metrics["pearson_r"]),
        "steps": draw_steps(done.found),
    }
    if done.binned:
        drawn["numbers"] = draw_numbers(done.binned)
    for name, figure in drawn.items():
        for suffix in ("svg", "png"):
            save(figure, folder / f"{name}.{suffix}")
    return {name: (folder / f"{name}.svg").read_bytes() for name in drawn}


def _model(done: Evaluation) -> dict[str, str]:
    record = done.trained.record
    return {
        "Folder": str(done.config["model"]),
        "Surrogate": f"{done.trained.name} of plugin {record['plugin']}",
        "Architecture": ", ".join(f"{key} {value}" for key, value in record["architecture"].items()),
        "Weights, SHA-256": record["sha256_weights"],
        "Trained": str(record.get("started", "unknown")),
        "Threads": f"{torch.get_num_threads()}",
    }


def evaluation_params(config: Mapping[str, Any], trained: TrainedSurrogate, samples: int) -> dict[str, Any]:
    """Parameters of an evaluation's run, all known before it begins."""
    return {
        "model": config["model"],
        "weights": trained.record["sha256_weights"],
        "sequence": config["sequence"],
        "tissue": config["names"]["tissue"],
        "samples": samples,
        **simulator_params(config),
    }


def _record(done: Evaluation, sequences: Sequence[Timeline], clock: Clock) -> dict[str, Any]:
    """The content of `run.json`."""
    config = done.config
    record = run_record(
        task="evaluate",
        name=done.name,
        config=config,
        params=evaluation_params(config, done.trained, len(done.found.exact)),
        metrics=done.metrics,
        timings=clock.timings,
        tags={"simulator": config["simulator"]["name"], "surrogate": done.trained.name},
        device=str(config["simulator"].get("device", "cpu")),
        started=done.started,
        run_id=done.run_id,
    )
    return {**record, "sequence": {"sha256": sequences[0].sha256, "count": len(sequences)}}
