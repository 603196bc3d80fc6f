"""`spinloom quantify`: maps from Z-spectra and fingerprints, one method a subcommand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click


@click.group()
def command() -> None:
    """Quantify Z-spectra and fingerprints: INPUT is the folder of a simulated run, or a 4-D NIfTI image.

    An image needs --sequence: the .seq file that measured it, the name of a shipped one, or a text file that lists the
    offset of each image in ppm. Maps go to the folder --output, as NIfTI on the same grid, or as a table for a run.
    """


def _shared(function: Callable[..., None]) -> Callable[..., None]:
    """Options of every method."""
    path = click.Path(path_type=Path)
    for decorate in (
        click.option("--overwrite", is_flag=True, help="Replace the results of an earlier run."),
        click.option("--larmor-mhz", type=float, help="Larmor frequency, where the sequence states none."),
        click.option("-o", "--output", type=path, required=True, help="Folder of the results."),
        click.option("-m", "--mask", type=path, help="Image; voxels where it is 0 are left out."),
        click.option("-s", "--sequence", help="What measured an image: .seq file, shipped name, or list of offsets."),
        click.argument("path", metavar="INPUT", type=path),
    ):
        function = decorate(function)
    return function


def _run(method: str, shared: Mapping[str, Any], solve: Callable[[Any], Any], **options: Any) -> None:
    from spinloom.tasks.quantify import Request, quantify

    settings = dict(shared)
    larmor = settings.pop("larmor_mhz")
    request = Request(larmor=None if larmor is None else 1e6 * larmor, **settings)
    for sentence in quantify(method, request, solve, options):
        click.echo(sentence)
    click.echo(f"Maps: {request.output}")


@command.command()
@_shared
def normalise(**shared: Any) -> None:
    """Divide each spectrum by its M0 scans."""
    from spinloom.tasks import quantify_methods as methods

    _run("normalise", shared, methods.normalised)


@command.command("mtr-asymmetry")
@_shared
@click.option("--at", multiple=True, type=float, help="Also a map at this offset [ppm]; may be given again.")
def asymmetry(at: tuple[float, ...], **shared: Any) -> None:
    """MTR asymmetry Z(-d) - Z(+d) at every positive offset d."""
    from spinloom.tasks import quantify_methods as methods

    _run("mtr-asymmetry", shared, lambda source: methods.asymmetry(source, at), at=list(at))


@command.command("correct-b0")
@_shared
@click.option("--b0", required=True, help="B0 shift [ppm]: a map, such as WASABI's, or a number.")
@click.option("--interpolation", default="pchip", show_default=True, help="pchip or linear.")
def correct(b0: str, interpolation: str, **shared: Any) -> None:
    """Move each spectrum back by its B0 shift; NaN where it was not measured."""
    from spinloom.tasks import quantify_methods as methods

    options = {"b0": b0, "interpolation": interpolation}
    _run("correct-b0", shared, lambda source: methods.corrected(source, b0, interpolation), **options)


@command.command()
@_shared
def wasabi(**shared: Any) -> None:
    """B0 shift [ppm] and relative B1 from a WASABI measurement."""
    from spinloom.tasks import quantify_methods as methods

    _run("wasabi", shared, methods.wasabi)


@command.command()
@_shared
@click.option("--pools", default="water,amide,noe,mt", show_default=True, help="Lines to fit, parted by commas.")
@click.option("--free-baseline", is_flag=True, help="Fit the baseline too, where M0 is unsure.")
def lorentzian(pools: str, free_baseline: bool, **shared: Any) -> None:
    """Amplitude, width and shift of a Lorentzian line for each pool."""
    from spinloom.tasks import quantify_methods as methods

    names = [name.strip() for name in pools.split(",") if name.strip()]
    options = {"pools": names, "free_baseline": free_baseline}
    _run("lorentzian", shared, lambda source: methods.lorentzian(source, names, free_baseline), **options)


@command.command("bloch-mcconnell")
@_shared
@click.option("--tissue", required=True, help="Pool model, by path or shipped name: where the fit begins.")
@click.option("--fit", "names", multiple=True, required=True, help="Parameter to fit, such as amide.k; give it again.")
@click.option("--b0", help="Known B0 shift [ppm]: a map or a number.")
@click.option("--b1", help="Known relative B1: a map or a number.")
def bloch_mcconnell(tissue: str, names: tuple[str, ...], b0: str | None, b1: str | None, **shared: Any) -> None:
    """Parameters of a tissue, by playing the sequence on it."""
    from spinloom.tasks import quantify_methods as methods

    options = {"tissue": tissue, "fit": list(names), "b0": b0, "b1": b1}
    _run(
        "bloch-mcconnell",
        shared,
        lambda source: methods.bloch_mcconnell(source, tissue, names, b0, b1),
        **options,
    )


@command.command("match")
@click.argument("path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("-d", "--dictionary", type=click.Path(path_type=Path), required=True, help="Set that generate made.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the results.")
@click.option("-s", "--sequence", help="What measured an image; it has to be the dictionary's.")
@click.option("-m", "--mask", type=click.Path(path_type=Path), help="Image; voxels where it is 0 are left out.")
@click.option("--quantity", default="mxy", show_default=True, help="mxy, the magnitude, or mz with its sign.")
@click.option("--rank", type=int, help="Compress to so many singular vectors.")
@click.option("--energy-loss", type=float, help="Compress as far as loses this share of the energy.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals; 0 for none.")
@click.option("--estimate", default="best", show_default=True, help="best entry, or mean over all that could be it.")
@click.option("--truth", type=click.Path(path_type=Path), help="Folder of maps of the same names to compare with.")
@click.option("--overwrite", is_flag=True, help="Replace the results of an earlier run.")
def match(**settings: Any) -> None:
    """Numbers of the entry of a dictionary that each signal is most like."""
    from spinloom.tasks.match import MatchRequest, match_dictionary

    request = MatchRequest(**settings)
    for sentence in match_dictionary(request):
        click.echo(sentence)
    click.echo(f"Maps: {request.output}")


@command.command("phantom")
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the images.")
@click.option("-s", "--sequence", help="Path or name; by default the schedule that the phantom is made for.")
@click.option("--matrix", type=int, default=64, show_default=True, help="Voxels along x and y.")
@click.option("--snr", type=float, help="Mean signal over the noise of one channel; none for no noise.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of noise and random maps.")
def phantom(**settings: Any) -> None:
    """Measure the phantom NAME, larginine_vials or brain_mt: images to match, a mask, and the true maps."""
    from spinloom.tasks.fingerprint_folder import PhantomRequest, write_fingerprint_phantom

    click.echo(write_fingerprint_phantom(PhantomRequest(**settings)))
