"""`spinloom compare`: how far two signals, or two folders of maps, lie apart, in a table and a picture."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spinloom.tasks.compare import Comparison, Difference
    from spinloom.tasks.compare_maps import MapErrors


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
@click.option("--truth", type=click.Path(path_type=Path), help="Folder of the true maps, where maps are compared.")
@click.option("--background", type=float, help="Value of voxels that have none in a map; by default they are left out.")
@click.option("--uri", help="URI of the tracking store that holds runs named by their id; the local one by default.")
@click.option("--experiment", default="spinloom", show_default=True, help="Experiment to list where a run is unknown.")
def command(
    first: str,
    second: str,
    output: Path,
    tolerance: float | None,
    truth: Path | None,
    background: float | None,
    uri: str | None,
    experiment: str,
) -> None:
    """Compare two signals, or two folders of maps.

    Signals are run folders, signal.zarr folders, ids of tracked runs, or CSV files. Maps are the NIfTI files of two
    folders that `spinloom quantify` wrote; those of one name are compared, and each with the true ones where --truth
    names them.

    A CSV has the columns of zspectrum.csv, or a single column of Mz. Exit code 1 where the largest difference exceeds
    the tolerance.
    """
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise click.UsageError(f"--tolerance is {tolerance}; it is a finite number from 0.")

    from spinloom.commands.table import column_table
    from spinloom.tasks.compare import compare
    from spinloom.tasks.compare_maps import is_map_folder

    if is_map_folder(first) and is_map_folder(second):
        if tolerance is not None:
            raise click.UsageError("--tolerance is of signals; maps have units of their own.")
        _compare_maps(first, second, truth, background, output)
        return
    if truth is not None:
        raise click.UsageError("--truth goes with two folders of maps.")
    if background is not None:
        raise click.UsageError("--background goes with two folders of maps.")
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


def _compare_maps(first: str, second: str, truth: Path | None, background: float | None, output: Path) -> None:
    from spinloom.commands.table import column_table
    from spinloom.evaluation.map_comparison_figure import draw_map_comparison
    from spinloom.tasks.compare_maps import compare_maps

    found = compare_maps(first, second, truth, background)
    groups = {"": found.errors, f"{first} against {truth}": found.known[0], f"{second} against {truth}": found.known[1]}
    for title, errors in groups.items():
        if title and errors:
            click.echo(f"\n{title}")
        rows = [_map_row(name, each) for name, each in errors.items()]
        if rows:
            for line in column_table(("", "NRMSE", "SSIM", "r", "bias", "worst"), rows, [""] * len(rows)):
                click.echo(line)
    figure = draw_map_comparison(_short_names(first, second), found.volumes)
    click.echo(f"Wrote {_written(figure, found.record(), output)}.")


def _map_row(name: str, errors: MapErrors) -> tuple[str, ...]:
    of_spread = (
        "constant" if value is None else form.format(value)
        for value, form in ((errors.nrmse, "{:.3%}"), (errors.similarity, "{:.4f}"), (errors.r, "{:.6f}"))
    )
    return (name, *of_spread, f"{errors.bias:.3g}", f"{errors.worst:.3g}")


def _row(difference: Difference) -> tuple[str, ...]:
    numbers = (difference.largest, difference.mean, difference.nrmse, difference.r)
    forms = (".3g", ".3g", ".3g", ".9f")
    shown = ("constant" if math.isnan(value) else f"{value:{form}}" for value, form in zip(numbers, forms, strict=True))
    return (difference.quantity, *shown)


def _short_names(first: str, second: str) -> tuple[str, str]:
    """Names for a legend: the last part of each path, or the whole where that does not tell them apart."""
    short = (Path(first).name, Path(second).name)
    return short if short[0] != short[1] else (first, second)


def _write(found: Comparison, output: Path) -> Path:
    """Write the picture, or all there is into a folder; returns what was written."""
    from spinloom.evaluation.comparison_figure import plot_comparison

    quantity = found.differences[0].quantity
    sides = (found.first, found.second)
    offsets = next((side.offset_ppm for side in sides if side.offset_ppm is not None), None)
    a, b = (side.quantities[quantity] for side in sides)
    figure = plot_comparison(_short_names(found.first.name, found.second.name), a, b, offsets)
    return _written(figure, [asdict(difference) for difference in found.differences], output)


def _written(figure: Figure, record: Any, output: Path) -> Path:
    """Write the picture, or into a folder both pictures and the record; returns what was written."""
    from spinloom.errors import OutputError
    from spinloom.evaluation.canvas import save
    from spinloom.whole_file import write_whole

    if output.suffix:
        save(figure, output)
        return output
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {output} cannot be made: {error.strerror}; name another place.") from error
    for suffix in ("png", "svg"):
        save(figure, output / f"comparison.{suffix}")
    write_whole(output / "comparison.json", json.dumps(record, indent=2).replace("NaN", "null").encode())
    return output
