"""`spinloom sequence`: what a Pulseq file holds, as a page of facts or as a picture; and files from families."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spinloom.errors import PluginError
    from spinloom.sequence.families import BuiltSequence
    from spinloom.sequence.family import Family


@click.group()
def command() -> None:
    """Describe, plot or write a Pulseq file.

    A sequence is given by its path, by the name of a shipped one, or as a family with parameters, such as
    'fse(esp_ms=9)'.
    """


@command.command()
@click.argument("sequence", metavar="FILE|NAME|FAMILY(...)")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def info(sequence: str, as_json: bool) -> None:
    """Show the length, pulses, offsets, gradients, readouts, labels and definitions of a sequence."""
    from spinloom.commands.sequence_page import page
    from spinloom.sequence.facts import sequence_facts
    from spinloom.sequence_sources import read_sequence

    facts = sequence_facts(read_sequence(sequence))
    click.echo(json.dumps(facts.as_dict(), indent=2) if as_json else "\n".join(page(facts)))


@command.command()
@click.argument("sequence", metavar="FILE|NAME|FAMILY(...)")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture to write: .png, .svg or .pdf.")
@click.option("--start", type=float, help="Begin of the range [s].")
@click.option("--stop", type=float, help="End of the range [s].")
@click.option("--measurement", type=int, help="Draw one measurement, counted from 1, from readout to readout.")
def plot(sequence: str, output: Path | None, start: float | None, stop: float | None, measurement: int | None) -> None:
    """Draw RF, gradients and ADC against time, by default of the whole sequence and to NAME.png in this folder."""
    if measurement is not None and (start, stop) != (None, None):
        raise click.UsageError("--measurement chooses the range; leave out --start and --stop.")

    from spinloom.sequence.plot import plot_sequence, save_figure
    from spinloom.sequence.saturation import measurement_span
    from spinloom.sequence_sources import read_sequence

    timeline = read_sequence(sequence)
    if measurement is not None:
        start, stop = measurement_span(timeline, measurement)
    path = output or Path(f"{Path(timeline.source).stem}.png")
    save_figure(plot_sequence(timeline, start, stop), path)
    click.echo(f"Wrote {path}.")


@command.command()
@click.argument("family")
@click.argument("parameters", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; FAMILY.seq without it.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def write(family: str, parameters: tuple[str, ...], output: Path | None, force: bool) -> None:
    """Write the .seq file of a family; `spinloom sequence families` tells which there are."""
    from spinloom.errors import OutputError
    from spinloom.sequence.expression import parse_expression, write_value
    from spinloom.sequence_sources import build_sequence

    for parameter in parameters:
        if "=" not in parameter:
            raise click.UsageError(f"'{parameter}' is no parameter; write it as NAME=VALUE.")
    path = output or Path(f"{family}.seq")
    if path.exists() and not force:
        raise OutputError(f"{path} exists; name another file with -o, or replace it with --force.")
    parsed = parse_expression(f"{family}({', '.join(parameters)})")
    if parsed is None:
        raise click.UsageError(f"'{family}' is no name of a family.")
    built = build_sequence(family, **parsed[1])
    built.write(path)
    click.echo(f"Wrote {path}: {_told(built)}.")
    for name, value in parsed[1].items():
        if built.parameters[name] != value:
            click.echo(f"{name}={write_value(built.parameters[name])} is played in place of {write_value(value)}.")


def _told(built: BuiltSequence) -> str:
    """Length and readouts of a sequence in words."""
    timeline = built.timeline()
    readouts = int((timeline.block_adc >= 0).sum())
    return f"{timeline.duration:g} s, {readouts} readouts, {timeline.adc_samples:,} samples"


@command.command()
@click.argument("family", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def families(family: str | None, as_json: bool) -> None:
    """List the families of sequences, or show what the parameters of one mean and may be."""
    from spinloom.commands.families_page import family_facts, family_page, list_page
    from spinloom.registry import plugins
    from spinloom.sequence.family import Family
    from spinloom.sequence_sources import sequence_family

    if family is not None:
        one = sequence_family(family)
        click.echo(json.dumps(family_facts(one), indent=2) if as_json else "\n".join(family_page(one)))
        return
    found = {name: _tried(name) for name in sorted(plugins().sequence_families())}
    if as_json:
        usable = [family_facts(each) for each in found.values() if isinstance(each, Family)]
        click.echo(json.dumps(usable, indent=2))
    else:
        click.echo("\n".join(list_page(found, plugins().sequence_families())))


def _tried(name: str) -> Family | PluginError:
    """A family, or why it cannot be used."""
    from spinloom.errors import PluginError
    from spinloom.sequence_sources import sequence_family

    try:
        return sequence_family(name)
    except PluginError as error:
        return error
