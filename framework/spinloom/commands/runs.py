"""`spinloom runs`: list tracked runs, show one, compare a few."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spinloom.tracking import TrackingSettings


@click.group("runs", invoke_without_command=True)
@click.option("--task", help="Only runs of this task, such as train.")
@click.option("--filter", "condition", default="", help="Only runs that meet it, such as 'metrics.loss < 0.1'.")
@click.option("--sort", default="started", show_default=True, help="A metric, params.NAME, started, ended or name.")
@click.option("--reverse", is_flag=True, help="Turn the order round; without it the latest or the smallest is first.")
@click.option("--metric", "metrics", multiple=True, help="Show this metric in a column; may be given again.")
@click.option("--param", "params", multiple=True, help="Show this parameter in a column; may be given again.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="List at most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print all of each run as JSON.")
@click.option("--uri", help="MLflow store; mlruns/spinloom.db of the working directory where not given.")
@click.option("--experiment", default="spinloom", show_default=True, help="MLflow experiment that holds the runs.")
@click.pass_context
def command(
    context: click.Context,
    task: str | None,
    condition: str,
    sort: str,
    reverse: bool,
    metrics: tuple[str, ...],
    params: tuple[str, ...],
    limit: int,
    as_json: bool,
    uri: str | None,
    experiment: str,
) -> None:
    """List, sort and compare tracked runs; the runs of a sweep stand beneath it."""
    from spinloom.tracking import Order, TrackingSettings

    context.obj = settings = TrackingSettings(uri=uri, experiment=experiment)
    if context.invoked_subcommand is not None:
        return
    from spinloom.commands.runs_page import run_table
    from spinloom.tasks.runs import list_runs, plain_run, refuse_unknown

    order = Order(sort, descending=(sort in ("started", "ended")) != reverse)
    listed = list_runs(settings, task=task, condition=condition, order=order, limit=limit)
    runs = [item.run for item in listed]
    if as_json:
        click.echo(json.dumps([plain_run(run) for run in runs], indent=2))
        return
    if not runs:
        click.echo(_nothing(settings, bool(task or condition)))
        return
    refuse_unknown("metric", metrics, [run.metrics for run in runs])
    refuse_unknown("parameter", params, [run.params for run in runs])
    shown = [*metrics, *([order.metric] if order.metric else [])]
    chosen = [*params, *([order.parameter] if order.parameter else [])]
    click.echo("\n".join(run_table(listed, list(dict.fromkeys(shown)), list(dict.fromkeys(chosen)))))
    if len(runs) >= limit:
        click.echo(f"\nThere may be more: --limit is {limit}.")


@command.command("show")
@click.argument("run", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--uri", help="MLflow store that holds it.")
@click.pass_obj
def show(settings: TrackingSettings, run: str, as_json: bool, uri: str | None) -> None:
    """Show all of the run whose id is, or begins with, ID."""
    from spinloom.commands.runs_page import run_page
    from spinloom.tasks.runs import plain_run
    from spinloom.tracking import find_children, find_run

    settings = replace(settings, uri=uri or settings.uri)
    found = find_run(settings, run)
    if as_json:
        click.echo(json.dumps(plain_run(found), indent=2))
        return
    click.echo("\n".join(run_page(found, find_children(settings, found.run_id))))


@command.command("compare")
@click.argument("runs", metavar="ID ID...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Show what the runs agree on, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON.")
@click.option("--uri", help="MLflow store that holds them.")
@click.pass_obj
def compare(
    settings: TrackingSettings, runs: tuple[str, ...], everything: bool, as_json: bool, uri: str | None
) -> None:
    """Show side by side in what parameters and metrics runs differ."""
    from spinloom.commands.runs_page import comparison
    from spinloom.tasks.runs import compare_runs, plain_run

    found, rows = compare_runs(replace(settings, uri=uri or settings.uri), runs)
    if as_json:
        click.echo(json.dumps([plain_run(run) for run in found], indent=2))
        return
    click.echo("\n".join(comparison(found, rows, everything)))


@command.command("register")
@click.argument("run", metavar="ID")
@click.argument("name")
@click.option("--alias", help="Alias that this version gets, such as best; an earlier version loses it.")
@click.option("--uri", help="MLflow store that holds the run.")
@click.pass_obj
def register(settings: TrackingSettings, run: str, name: str, alias: str | None, uri: str | None) -> None:
    """Register what the training ID made as the next version of the model NAME."""
    from spinloom.tracking import find_run, register_model

    settings = replace(settings, uri=uri or settings.uri)
    click.echo(register_model(settings, find_run(settings, run).run_id, name, alias))


def _nothing(settings: TrackingSettings, chosen: bool) -> str:
    where = f"Experiment '{settings.experiment}' of {settings.shown_uri}"
    return f"{where} has no run that meets this." if chosen else f"{where} has no run yet."
