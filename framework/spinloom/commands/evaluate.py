"""`spinloom evaluate`: a trained network against the exact simulator on fresh samples."""

from __future__ import annotations

import sys
from typing import Any

import click

HELP = """Compare a trained network with the exact simulator on fresh samples, and track the run.

\b
  spinloom evaluate model=models/apt simulator=cest sequence=aptw_3t_36pulses tissue=wm_3t_7pool \\
      tissue.t1='uniform(0.8, 1.6)' tissue.cest_pool.amide.k='uniform(30, 90)' samples=2000

Samples are drawn anew: none of them is one that was trained on or that a set of the same seed holds. Protocols are
drawn as for generate. The report shows the error over all, against each number and each measurement, and the time."""


@click.command(
    "evaluate",
    help=HELP,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def command(overrides: tuple[str, ...]) -> None:
    """Hand `overrides` and Hydra's flags to the task."""
    from spinloom.configuration import run_task
    from spinloom.tasks.sweeps import sweep_opener

    run_task("evaluate", _evaluate, list(overrides), sweep_opener("evaluate"))


def _evaluate(config: dict[str, Any]) -> None:
    from spinloom.commands.progress import ProgressLine
    from spinloom.tasks.evaluate_surrogate import run_evaluate
    from spinloom.tasks.sweeps import refusals_tracked
    from spinloom.tracking import TrackingSettings, ui_command

    progress = ProgressLine(sys.stderr, "samples")
    try:
        with refusals_tracked("evaluate", config):
            outcome = run_evaluate(config, progress)
    finally:
        progress.close()
    for sentence in outcome.headline:
        click.echo(sentence)
    click.echo(f"Report: {outcome.folder / 'report.html'}")
    if outcome.run_id is not None:
        page = ui_command(TrackingSettings.from_config(config["tracking"]))
        click.echo(f"Tracked as run {outcome.run_id}; open the page with: {page}")
