"""`spinloom track`: log a finished run folder, such as one that was kept while the tracking store was down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--uri", help="MLflow store to log to; the one of the run's own configuration where not given.")
@click.option("--experiment", help="MLflow experiment to log to; the run's own where not given.")
@click.option("--again", is_flag=True, help="Log a folder once more that the store has already.")
def command(folder: Path, uri: str | None, experiment: str | None, again: bool) -> None:
    """Log the run folder DIR, which a task wrote as its output, to the tracking store."""
    from spinloom.tracking import log_run_folder, logged_run, run_settings, ui_command

    settings = run_settings(folder)
    if uri is not None:
        settings = replace(settings, uri=uri, artifacts=None)
    if experiment is not None:
        settings = replace(settings, experiment=experiment)
    known = None if again else logged_run(folder, settings)
    if known is not None:
        click.echo(f"{folder} is logged already, as run {known} of {settings.shown_uri}; --again logs it once more.")
        return
    run_id = log_run_folder(folder, settings, again=again)
    click.echo(f"{folder} is logged as run {run_id} of {settings.shown_uri}; `{ui_command(settings)}` shows it.")
