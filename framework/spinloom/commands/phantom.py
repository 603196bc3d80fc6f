"""`spinloom phantom`: which phantoms there are, a picture of one, and one as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from spinloom.tissue.phantom import Phantom


@click.group()
def command() -> None:
    """List, draw or write phantoms: made by name with key=value options, or read from a path."""


@command.command("list")
@click.argument("name", required=False)
def list_(name: str | None) -> None:
    """List the phantoms that can be made, or the options of one with their defaults."""
    from spinloom.commands.table import column_table
    from spinloom.errors import TissueError, known_names
    from spinloom.tissue.phantoms.door import described_settings, phantom_names

    if name is None:
        rows: list[tuple[str, ...]] = [(known, described_settings(known)[0]) for known in phantom_names()]
        header: tuple[str, ...] = ("name", "what")
    elif name in phantom_names():
        rows = [*described_settings(name)[1][1:]]
        header = ("option", "default", "meaning")
    else:
        raise TissueError(f"There is no phantom '{name}'. {known_names(name, phantom_names())}")
    click.echo("\n".join(column_table(header, rows, [""] * len(rows))))


@command.command()
@click.argument("phantom", metavar="NAME|PATH")
@click.argument("options", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture to write: .png or .svg.")
def show(phantom: str, options: tuple[str, ...], output: Path | None) -> None:
    """Draw every map with its scale, by default to NAME.png in this folder.

    \b
      spinloom phantom show brain matrix=256 subject=3 b0_hz=[-150,150] b1=[0.7,1.3]
      spinloom phantom show my_maps/ -o maps.svg
    """
    from spinloom.evaluation.canvas import save
    from spinloom.evaluation.phantom_figure import draw_phantom

    path = output or Path(f"{Path(phantom).stem}.png")
    save(draw_phantom(_built(phantom, options)), path)
    click.echo(f"Wrote {path}.")


@command.command()
@click.argument("phantom", metavar="NAME|PATH")
@click.argument("options", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="NAME.zarr, or a folder for NIfTI maps."
)
@click.option("--overwrite", is_flag=True, help="Replace the phantom that NAME.zarr holds.")
def make(phantom: str, options: tuple[str, ...], output: Path, overwrite: bool) -> None:
    """Write a phantom: whole to NAME.zarr, or its maps as NIfTI images to another folder.

    \b
      spinloom phantom make tubes matrix=[256,256,32] fov_mm=[220,220,96] -o tubes.zarr
      spinloom phantom make brain matrix=192 -o maps
    """
    from spinloom.tissue.phantoms.nifti_maps import write_nifti_maps
    from spinloom.tissue.phantoms.phantom_files import write_phantom

    if output.suffix == ".zarr":
        write_phantom(_built(phantom, options), output, overwrite)
    elif overwrite:
        raise click.UsageError("--overwrite is for NAME.zarr; name a new folder for NIfTI maps.")
    else:
        write_nifti_maps(_built(phantom, options), output)
    click.echo(f"Wrote {output}.")


def _built(name: str, options: tuple[str, ...]) -> Phantom:
    from spinloom.tissue.phantoms.door import build_phantom

    return build_phantom({**dict(_option(text) for text in options), "name": name})


def _option(text: str) -> tuple[str, Any]:
    """Key and value of `key=value`, the value as YAML."""
    import yaml

    key, sign, value = text.partition("=")
    if not key or not sign:
        raise click.UsageError(f"'{text}' is no option of a phantom; write KEY=VALUE, such as matrix=256.")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise click.UsageError(f"'{text}' has a value that cannot be read; write lists as [1,2,3].") from error
