"""`spinloom reproduce RUN`: run a tracked run again from what it logged, and say whether the same comes out."""

from __future__ import annotations

import click


@click.command("reproduce")
@click.argument("run")
@click.option("--uri", help="URI of the tracking store that holds RUN; the local one by default.")
@click.option("--experiment", default="spinloom", show_default=True, help="Experiment to list where RUN is unknown.")
def command(run: str, uri: str | None, experiment: str) -> None:
    """Run RUN, the id of a tracked run or a run folder, again and compare.

    Of a simulation the signals are compared, of a set its numbers, of a training the weights and metrics, of an
    evaluation the errors. Exit code 1 where they differ by more than rounding.
    """
    from spinloom.tasks.reproduce import reproduce
    from spinloom.tracking import TrackingSettings

    result = reproduce(run, TrackingSettings(uri=uri, experiment=experiment))
    repeated = result.repeated
    click.echo(f"{result.name}: {_verdict(repeated.identical, repeated.agrees, '; '.join(repeated.differences))}.")
    if result.changed:
        click.echo(f"Versions that have changed: {', '.join(result.changed)}.")
    if not repeated.agrees:
        raise SystemExit(1)


def _verdict(identical: bool, agrees: bool, differences: str) -> str:
    if identical:
        return "reproduced bit for bit"
    return f"reproduced to rounding; {differences}" if agrees else f"NOT reproduced; {differences}"
