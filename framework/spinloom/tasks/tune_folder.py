"""What a search leaves in its folder: its trials as a table, a figure, a report, the best configuration, the record."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from spinloom.evaluation.canvas import save
from spinloom.evaluation.report import write_report
from spinloom.evaluation.report_content import Code, Facts, Picture, ReportContent, Section, Table
from spinloom.evaluation.search_figure import draw_search
from spinloom.learning.search import Settled
from spinloom.learning.search_space import Space
from spinloom.tasks.clock import Clock
from spinloom.tasks.record import run_record, without_password
from spinloom.tasks.wording import provenance_facts
from spinloom.tracking import RUN_FILE

SUMMARY = "summary"
"""Folder of the search's own results within its output."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """A search that is done and not yet written.

    config: resolved, as plain containers
    space: that was searched
    run_id: of the tracking store, or None
    """

    title: str
    config: Mapping[str, Any]
    space: Space
    trials: tuple[Settled, ...]
    started: datetime
    run_id: str | None

    @property
    def best(self) -> Settled | None:
        """The trial that ended with the least value; None where none ended well."""
        done = [trial for trial in self.trials if trial.outcome == "done" and trial.value is not None]
        return min(done, key=lambda trial: trial.value or 0.0, default=None)

    @property
    def monitor(self) -> str:
        """What the value of a trial is."""
        return str(self.config["training"]["monitor"])

    def count(self, outcome: str) -> int:
        """Trials that ended so."""
        return sum(trial.outcome == outcome for trial in self.trials)


def describe_trial(trial: Settled) -> str:
    """A trial and what became of it, in a line."""
    values = ", ".join(f"{key.rpartition('.')[2]} {_text(value)}" for key, value in trial.values.items())
    reached = "nothing" if trial.value is None else f"{trial.value:.4g}"
    ends = {
        "done": f"reached {reached}",
        "pruned": f"ended early after epoch {trial.epochs}, at {reached}",
        "failed": f"failed: {trial.facts.get('error')}",
    }
    return f"trial {trial.number}: {values}: {ends[trial.outcome]}"


def describe_search(done: Tuning) -> tuple[str, ...]:
    """What was found, in sentences."""
    assert done.best is not None
    found = ", ".join(f"{key}={_text(value)}" for key, value in done.best.values.items())
    return (
        f"{len(done.trials)} trials: {done.count('done')} done, {done.count('pruned')} ended early, "
        f"{done.count('failed')} failed.",
        f"Best is trial {done.best.number} with a {done.monitor.replace('_', ' ')} of {done.best.value:.4g}: {found}.",
        f"Its network: {_trial_folder(done, done.best) / 'model'}",
    )


def write_tuning(folder: Path, done: Tuning, clock: Clock) -> None:
    """Write everything into `folder`, the record `run.json` last."""
    assert done.best is not None
    configuration = yaml.safe_dump(without_password(done.config), sort_keys=False)
    rows = [_row(done, trial) for trial in done.trials]
    with clock.step("write"):
        (folder / "config.yaml").write_text(configuration, encoding="utf-8")
        (folder / "best.yaml").write_text(yaml.safe_dump(dict(done.best.values)), encoding="utf-8")
        with (folder / "trials.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
        figure = draw_search([trial.value for trial in done.trials], [t.outcome for t in done.trials], done.monitor)
        (folder / "figures").mkdir()
        for suffix in ("svg", "png"):
            save(figure, folder / "figures" / f"search.{suffix}")
    record = _record(done, clock)
    picture = (folder / "figures" / "search.svg").read_bytes()
    write_report(folder / "report.html", _report(done, rows, picture, record, configuration))
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _row(done: Tuning, trial: Settled) -> dict[str, str]:
    return {
        "trial": str(trial.number),
        "outcome": trial.outcome,
        done.monitor: "" if trial.value is None else f"{trial.value:.6g}",
        "epochs": str(trial.epochs),
        **{key: _text(trial.values.get(key, "")) for key in done.space},
        "run": str(trial.facts.get("run_id") or ""),
        "error": str(trial.facts.get("error", "")),
    }


def _record(done: Tuning, clock: Clock) -> dict[str, Any]:
    """The content of `run.json`."""
    assert done.best is not None
    assert done.best.value is not None
    best = {f"best.{key}": value for key, value in done.best.values.items()}
    counts = {f"trials_{outcome}": done.count(outcome) for outcome in ("done", "pruned", "failed")}
    return run_record(
        task="tune",
        name=done.title,
        config=done.config,
        params={
            "surrogate": done.config["surrogate"]["name"],
            "startup": done.config["startup"],
            **{f"search.{key}": repr(choices) for key, choices in done.space.items()},
        },
        metrics={f"best/{done.monitor}": done.best.value, "best_trial": done.best.number, **counts},
        timings=clock.timings,
        tags={"surrogate": str(done.config["surrogate"]["name"]), **{key: _text(value) for key, value in best.items()}},
        device=str(done.config["training"]["accelerator"]),
        started=done.started,
        run_id=done.run_id,
    )


def _report(
    done: Tuning, rows: Sequence[Mapping[str, str]], picture: bytes, record: Mapping[str, Any], configuration: str
) -> ReportContent:
    assert done.best is not None
    sentences = describe_search(done)
    columns = [name for name in rows[0] if name not in ("run", "error")]
    table = Table(tuple(columns), tuple(tuple(row[name] for name in columns) for row in rows))
    best = {key: _text(value) for key, value in done.best.values.items()}
    errors = {f"Trial {row['trial']}": row["error"] for row in rows if row["error"]}
    sections = [
        Section("Trials", (Picture(picture, "Each trial, and the best until then.", " ".join(sentences)), table)),
        Section("Best settings", (Facts(tuple(best.items())),)),
        *([Section("Failures", (Facts(tuple(errors.items())),))] if errors else []),
        Section("Provenance", (Facts(tuple(provenance_facts(record).items())), Code("Configuration", configuration))),
    ]
    highlights = {done.monitor.replace("_", " "): f"{done.best.value:.4g}", "Trials": f"{len(done.trials)}"}
    return ReportContent(
        title=f"Search for settings of {done.config['surrogate']['name']}",
        summary=sentences,
        sections=tuple(sections),
        highlights=Facts(tuple(highlights.items())),
        kind="Spinloom search",
    )


def _trial_folder(done: Tuning, trial: Settled) -> Path:
    return Path(done.config["output"]) / "trials" / f"{trial.number:04d}"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
