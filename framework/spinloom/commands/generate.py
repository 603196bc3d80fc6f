"""`spinloom generate`: a set of signals of many tissues, and of many protocols, in chunks that survive a crash."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

import click

HELP = """Simulate many tissues into a set of signals.

\b
  spinloom generate simulator=cest sequence=aptw_3t_36pulses tissue=wm_3t_7pool \\
      tissue.t1='uniform(0.8, 1.6)' tissue.cest_pool.amide.k='loguniform(10, 500)' samples=10000 output=sets/apt
  spinloom generate experiment=... --cfg job
  spinloom generate engine=ray cluster=HOST:6379 experiment=larginine_dictionary output=sets/larginine

Numbers of the tissue are ranges as for simulate, latin(low, high) and loglatin(low, high) among them. Protocols are
drawn from a family of sequences: sequence='cest_train()' +protocols.draw.pulses=[10,30] +protocols.count=20.
A set that was interrupted goes on where it stopped when the same command is given again."""


@click.command(
    "generate",
    help=HELP,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def command(overrides: tuple[str, ...]) -> None:
    """Hand `overrides` and Hydra's flags to the task."""
    from spinloom.configuration import run_task

    run_task("generate", _generate, list(overrides), lambda config: nullcontext())


def _generate(config: dict[str, Any]) -> None:
    from spinloom.commands.progress import ProgressLine
    from spinloom.tasks.generate import run_generate

    progress = ProgressLine(sys.stderr, "samples")
    try:
        done = run_generate(config, progress)
    finally:
        progress.close()
    rate = done.samples / done.seconds if done.seconds else 0.0
    click.echo(f"{done.path}: {done.total:,} samples, {done.samples:,} of them now, {rate:,.0f}/s.")
    share = f"{100 * done.simulated / done.seconds:.0f} % of {done.seconds:.3g} s was simulation"
    spread = f"{done.simulated:.3g} s of simulation in {done.seconds:.3g} s"
    click.echo(f"{share if config['engine'] == 'local' else spread}. Digest {done.digest[:16]}.")
