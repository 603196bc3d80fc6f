"""`spinloom compare`: how far two signals lie apart, in a table and a picture."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spinloom.tasks.compare import Comparison, Difference


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("comparison.png"),
    show_default=True,
    help="Picture to write, .png or .svg, or a folder for both and for comparison.json.",
)
@click.option("--tolerance", type=float, help="Largest difference that passes, in units of M0.")
@click.option("--uri", help="URI of the tracking store that holds runs named by their id; the local one by default.")
@click.option("--experiment", default="spinloom", show_default=True, help="Experiment to list where a run is unknown.")
def command(first: str, second: str, output: Path, tolerance: float | None, uri: str | None, experiment: str) -> None:
    """Compare two signals: run folders, signal.zarr folders, ids of tracked runs, or CSV files.

    A CSV has the columns of zspectrum.csv, or a single column of Mz. Exit code 1 where the largest difference exceeds
    the tolerance.
    """
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise click.UsageError(f"--tolerance is {tolerance}; it is a finite number from 0.")

    from spinloom.commands.table import column_table
    from spinloom.tasks.compare import compare
    from spinloom.tracking import TrackingSettings

    found = compare(first, second, TrackingSettings(uri=uri, experiment=experiment))
    rows = [_row(difference) for difference in found.differences]
    for line in column_table(("", "largest", "mean", "NRMSE", "r"), rows, [""] * len(rows)):
        click.echo(line)
    click.echo(f"The largest difference is {found.largest.largest:.3g} M0, of {found.largest.quantity}, ", nl=False)
    click.echo(f"at {found.place(found.largest)}.")
    click.echo(f"Wrote {_write(found, output)}.")
    if tolerance is not None and not found.largest.largest <= tolerance:
        click.echo(f"The difference exceeds the tolerance of {tolerance:g} M0.")
        raise SystemExit(1)


def _row(difference: Difference) -> tuple[str, ...]:
    numbers = (difference.largest, difference.mean, difference.nrmse, difference.r)
    forms = (".3g", ".3g", ".3g", ".9f")
    shown = ("constant" if math.isnan(value) else f"{value:{form}}" for value, form in zip(numbers, forms, strict=True))
    return (difference.quantity, *shown)


def _short_names(found: Comparison) -> tuple[str, str]:
    """Names for a legend: the last part of each path, or the whole where that does not tell them apart."""
    first, second = found.first.name, found.second.name
    short = (Path(first).name, Path(second).name)
    return short if short[0] != short[1] else (first, second)


def _write(found: Comparison, output: Path) -> Path:
    """Write the picture, or all there is into a folder; returns what was written."""
    from spinloom.errors import OutputError
    from spinloom.evaluation.canvas import save
    from spinloom.evaluation.comparison_figure import plot_comparison
    from spinloom.whole_file import write_whole

    quantity = found.differences[0].quantity
    sides = (found.first, found.second)
    offsets = next((side.offset_ppm for side in sides if side.offset_ppm is not None), None)
    a, b = (side.quantities[quantity] for side in sides)
    figure = plot_comparison(_short_names(found), a, b, offsets)
    if output.suffix:
        save(figure, output)
        return output
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {output} cannot be made: {error.strerror}; name another place.") from error
    for suffix in ("png", "svg"):
        save(figure, output / f"comparison.{suffix}")
    record = [asdict(difference) for difference in found.differences]
    write_whole(output / "comparison.json", json.dumps(record, indent=2).replace("NaN", "null").encode())
    return output
