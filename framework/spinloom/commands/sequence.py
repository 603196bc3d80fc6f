"""`spinloom sequence`: what a Pulseq file holds, as a page of facts or as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group()
def command() -> None:
    """Describe or plot a Pulseq file, given by its path or by the name of a shipped sequence."""


@command.command()
@click.argument("sequence", metavar="FILE|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def info(sequence: str, as_json: bool) -> None:
    """Show the length, pulses, offsets, gradients, readouts, labels and definitions of a sequence."""
    from spinloom.commands.sequence_page import page
    from spinloom.sequence.facts import sequence_facts
    from spinloom.sequence.read import read_sequence

    facts = sequence_facts(read_sequence(sequence))
    click.echo(json.dumps(facts.as_dict(), indent=2) if as_json else "\n".join(page(facts)))


@command.command()
@click.argument("sequence", metavar="FILE|NAME")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture to write: .png, .svg or .pdf.")
@click.option("--start", type=float, help="Begin of the range [s].")
@click.option("--stop", type=float, help="End of the range [s].")
@click.option("--measurement", type=int, help="Draw one measurement, counted from 1, from readout to readout.")
def plot(sequence: str, output: Path | None, start: float | None, stop: float | None, measurement: int | None) -> None:
    """Draw RF, gradients and ADC against time, by default of the whole sequence and to NAME.png in this folder."""
    if measurement is not None and (start, stop) != (None, None):
        raise click.UsageError("--measurement chooses the range; leave out --start and --stop.")

    from spinloom.sequence.plot import plot_sequence, save_figure
    from spinloom.sequence.read import read_sequence
    from spinloom.sequence.saturation import measurement_span

    timeline = read_sequence(sequence)
    if measurement is not None:
        start, stop = measurement_span(timeline, measurement)
    path = output or Path(f"{Path(timeline.source).stem}.png")
    save_figure(plot_sequence(timeline, start, stop), path)
    click.echo(f"Wrote {path}.")
