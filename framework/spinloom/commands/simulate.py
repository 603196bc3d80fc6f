"""`spinloom simulate`: compose the configuration, run the main job, say in a few lines what came out."""

from __future__ import annotations

import sys
from typing import Any

import click

HELP = """Simulate a sequence on a tissue or, for images, on a phantom, and track the run.

\b
  spinloom simulate simulator=cest sequence=aptw_3t_36pulses tissue=wm_3t_7pool
  spinloom simulate sequence=my.seq tissue=my.yaml simulator=cest output=results
  spinloom simulate experiment=aptw_white_matter tissue.water_pool.t2=0.06
  spinloom simulate -m experiment=aptw_white_matter tissue.b0_inhom=-0.2,0,0.2
  spinloom simulate experiment=aptw_white_matter tissue.t1='range(0.8, 1.6, 0.1)' tissue.t2='linspace(0.04, 0.08, 5)'
  spinloom simulate experiment=aptw_white_matter tissue.cest_pool.amide.k='uniform(20, 300)' samples=1000
  spinloom simulate experiment=aptw_white_matter tissue.table=tissues.csv
  spinloom simulate simulator=epi sequence='epi(te_ms=50)' phantom=brain phantom.spins=4 phantom.b0_hz='[-100,100]'
  spinloom simulate experiment=apt_brain rawdata=true
  spinloom simulate experiment=aptw_white_matter --cfg job

Names and paths both do for sequence, tissue and phantom. Every key of the configuration can be overridden.
Ranges, samples and tables make one run of a batch of tissues; -m runs a sweep over comma-separated values, a run
each; --cfg job shows the configuration and runs nothing."""


@click.command(
    "simulate",
    help=HELP,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def command(overrides: tuple[str, ...]) -> None:
    """Hand `overrides` and Hydra's flags to the task."""
    run_simulate(list(overrides))


def run_simulate(overrides: list[str]) -> None:
    """Compose the configuration with `overrides`, and simulate."""
    from spinloom.configuration import run_task
    from spinloom.tasks.sweeps import sweep_opener

    run_task("simulate", _simulate, overrides, sweep_opener("simulate"))


def _simulate(config: dict[str, Any]) -> None:
    from spinloom.commands.progress import ProgressLine
    from spinloom.tasks.run_simulation import run_simulation
    from spinloom.tracking import TrackingSettings, ui_command

    progress = ProgressLine(sys.stderr, "tissues" if config.get("phantom") is None else "spins")
    try:
        outcome = run_simulation(config, progress)
    finally:
        progress.close()
    for sentence in outcome.headline:
        click.echo(sentence)
    click.echo(f"Report: {outcome.folder / 'report.html'}")
    if outcome.run_id is not None:
        page = ui_command(TrackingSettings.from_config(config["tracking"]))
        click.echo(f"Tracked as run {outcome.run_id}; open the page with: {page}")
