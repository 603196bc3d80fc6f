"""`spinloom train`: a network learns to stand in for a simulator."""

from __future__ import annotations

import sys
from typing import Any

import click

HELP = """Train a network to stand in for a simulator, and track the run.

\b
  spinloom train surrogate=trajectory_mlp set=sets/apt output=models/apt
  spinloom train surrogate=trajectory_mlp set=sets/apt output=models/apt training.optimizer.lr=1e-3
  spinloom train surrogate=dynamic_mlp simulator=cest sequence=mrf_larginine_9p4t tissue=larginine_phantom_9p4t \\
      tissue.t1='uniform(2.5, 3.3)' samples=20000 output=models/larginine
  spinloom train -m surrogate=trajectory_mlp set=sets/apt training.optimizer.lr=1e-3,1e-4 output=models/rates

A set is what `spinloom generate` makes; without one, fresh samples are simulated in every epoch. A training that was
interrupted goes on where it stopped when the same command is given again."""


@click.command(
    "train",
    help=HELP,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def command(overrides: tuple[str, ...]) -> None:
    """Hand `overrides` and Hydra's flags to the task."""
    from spinloom.configuration import run_task
    from spinloom.tasks.sweeps import sweep_opener

    run_task("train", _train, list(overrides), sweep_opener("train"))


def _train(config: dict[str, Any]) -> None:
    from spinloom.commands.epoch_line import EpochLine
    from spinloom.tasks.sweeps import refusals_tracked
    from spinloom.tasks.train import run_train
    from spinloom.tracking import TrackingSettings, ui_command

    line = EpochLine(sys.stderr, config["training"]["epochs"])
    try:
        with refusals_tracked("train", config):
            outcome = run_train(config, line.epoch, line.samples)
    finally:
        line.close()
    for sentence in outcome.headline:
        click.echo(sentence)
    click.echo(f"Model: {outcome.folder / 'model'}")
    click.echo(f"Report: {outcome.folder / 'report.html'}")
    if outcome.run_id is not None:
        page = ui_command(TrackingSettings.from_config(config["tracking"]))
        click.echo(f"Tracked as run {outcome.run_id}; open the page with: {page}")
