"""Tracked runs as text: a table of many, a page of one, a few side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from spinloom.commands.table import column_table, field_list
from spinloom.tasks.runs import Listed, Row, main_result
from spinloom.tracking import TrackedRun

ID = 8
"""Characters of an id that are shown; `show` and `compare` take them for the whole."""


def run_table(listed: Sequence[Listed], metrics: Sequence[str], params: Sequence[str]) -> list[str]:
    """Lines of a table of runs: with the chosen metrics and parameters, or with the main result of each where none."""
    chosen = [*params, *metrics]
    header = ("id", "name", "task", "status", "started", "duration", *(chosen or ["result"]))
    rows = [
        (*_facts(item), *(_chosen(item.run, metrics, params) if chosen else [_result(item.run)])) for item in listed
    ]
    return column_table(header, rows, notes=[""] * len(rows))


def run_page(run: TrackedRun, children: Sequence[TrackedRun]) -> list[str]:
    """Lines of all that a run logged, but for its files."""
    fields = [
        ("run", run.run_id),
        ("name", run.name or "none"),
        ("task", run.task or "unknown"),
        ("status", run.status),
        ("started", moment(run.started)),
        ("duration", duration(run.seconds)),
    ]
    fields += [("sweep", run.parent)] if run.parent else []
    fields += [("runs beneath", _counted(children))] if children else []
    said = {"spinloom.command": "command", "spinloom.error": "error", "spinloom.pruned": "pruned"}
    fields += [(word, run.tags[tag]) for tag, word in said.items() if run.tags.get(tag)]
    lines = field_list(fields)
    for title, values in (("parameters", run.params), ("metrics", run.metrics)):
        if values:
            lines += ["", title]
            lines += ["  " + line for line in field_list([(name, shown(values[name])) for name in sorted(values)])]
    return lines


def comparison(runs: Sequence[TrackedRun], rows: Sequence[Row], everything: bool) -> list[str]:
    """Lines of a table with a column for each run: what the runs differ in, or `everything`."""
    header = ("", *(run.run_id[:ID] for run in runs))
    facts = [
        ("name", *(run.name for run in runs)),
        ("task", *(run.task for run in runs)),
        ("status", *(run.status for run in runs)),
        ("started", *(moment(run.started) for run in runs)),
        ("duration", *(duration(run.seconds) for run in runs)),
    ]
    kept = [row for row in rows if everything or row.differs]
    table = [*facts, *((row.name, *map(shown, row.values)) for row in kept)]
    lines = column_table(header, table, notes=[""] * len(table))
    same = len(rows) - len(kept)
    return [*lines, "", f"{same} parameters and metrics are the same; --all shows them."] if same else lines


def moment(milliseconds: int) -> str:
    """A moment [ms since 1970] in local time."""
    return f"{datetime.fromtimestamp(milliseconds / 1000):%Y-%m-%d %H:%M}"


def duration(seconds: float | None) -> str:
    """A duration [s] in the two units that tell it best; `?` where it is not known."""
    if seconds is None:
        return "?"
    if seconds < 60:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def shown(value: str | float | None) -> str:
    """A parameter or metric as text; a dash where there is none."""
    if value is None or value == "":
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _facts(item: Listed) -> tuple[str, ...]:
    run = item.run
    name = "  " * item.depth + (run.name or "-")
    return (run.run_id[:ID], name, run.task or "-", run.status, moment(run.started), duration(run.seconds))


def _chosen(run: TrackedRun, metrics: Sequence[str], params: Sequence[str]) -> list[str]:
    return [*(shown(run.params.get(name)) for name in params), *(shown(run.metrics.get(name)) for name in metrics)]


def _result(run: TrackedRun) -> str:
    found = main_result(run)
    return f"{found[0]} {found[1]:.4g}" if found else "-"


def _counted(children: Sequence[TrackedRun]) -> str:
    statuses = [child.status for child in children]
    counts = ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses))
    return f"{len(children)}: {counts}"
