"""`spinloom predict`: `spinloom simulate` with a trained network in the simulator's place."""

from __future__ import annotations

import click

HELP = """Play a sequence on a tissue by a trained network, and track the run.

\b
  spinloom predict model=models/apt sequence=aptw_3t_36pulses tissue=wm_3t_7pool
  spinloom predict model=models/apt sequence=my.seq tissue=my.yaml tissue.t1='range(0.8, 1.6, 0.1)' strict=true

The same as `spinloom simulate simulator=surrogate simulator.model=MODEL`. A model is a folder, runs:/ID,
models:/NAME, models:/NAME/VERSION or models:/NAME@ALIAS. Inputs outside the network's valid range
are flagged in the output and counted; strict=true refuses them."""

_OPTIONS = ("model", "strict")


@click.command(
    "predict",
    help=HELP,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def command(overrides: tuple[str, ...]) -> None:
    """Hand `overrides`, the network's own among them, to `spinloom simulate`."""
    from spinloom.commands.simulate import run_simulate

    run_simulate([*(_of_simulator(override) for override in overrides), "simulator=surrogate"])


def _of_simulator(override: str) -> str:
    """`model=X` and `strict=X` as overrides of the simulator."""
    return f"simulator.{override}" if override.partition("=")[0] in _OPTIONS else override
