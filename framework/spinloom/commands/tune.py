"""`spinloom tune`: a search for the settings with which a network learns best."""

from __future__ import annotations

import sys
from typing import Any

import click

HELP = """Search the settings of a training, each trial a tracked training of its own, beneath the run of the search.

\b
  spinloom tune surrogate=trajectory_mlp set=sets/apt trials=20 output=searches/apt \\
      'search.training.optimizer.lr=loguniform(1e-4, 1e-2)' 'search.training.batch=choice(512, 2048)' \\
      'search.surrogate.hidden=choice([128, 128], [256, 256])'

What a network learns from is given as for train. Any key of the configuration may be searched: uniform(low, high),
loguniform(low, high), integer(low, high) or choice(a, b, ...). Trials that are worse than most were at the same epoch
end early; one that fails is kept with its traceback while the others go on. A search that was interrupted goes on
where it stopped when the same command is given again, and a finished one does with more trials."""


@click.command(
    "tune",
    help=HELP,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def command(overrides: tuple[str, ...]) -> None:
    """Hand `overrides` and Hydra's flags to the task."""
    from spinloom.configuration import run_task
    from spinloom.tasks.sweeps import sweep_opener

    run_task("tune", _tune, [_quoted(override) for override in overrides], sweep_opener("tune"))


def _quoted(override: str) -> str:
    """An override of `search` in Hydra's grammar, in which ranges are text, and in which any key may be added."""
    key, equals, value = override.partition("=")
    name = key.lstrip("+")
    if not (equals and name.startswith("search.")):
        return override
    text = value.strip()
    if text[:1] not in ("'", '"'):
        text = "'" + text.replace("'", "\\'") + "'"
    return f"++{name}={text}"


def _tune(config: dict[str, Any]) -> None:
    from spinloom.commands.epoch_line import EpochLine
    from spinloom.tasks.tune import run_tune
    from spinloom.tasks.tune_folder import describe_trial
    from spinloom.tracking import TrackingSettings, ui_command

    line = EpochLine(sys.stderr, config["training"]["epochs"])

    def tell(trial: Any) -> None:
        line.close()
        click.echo(describe_trial(trial))

    try:
        outcome = run_tune(config, line.epoch, line.samples, tell)
    finally:
        line.close()
    for sentence in outcome.headline:
        click.echo(sentence)
    click.echo(f"Report: {outcome.folder / 'report.html'}")
    if outcome.run_id is not None:
        page = ui_command(TrackingSettings.from_config(config["tracking"]))
        click.echo(f"Tracked as run {outcome.run_id}; open the page with: {page}")
