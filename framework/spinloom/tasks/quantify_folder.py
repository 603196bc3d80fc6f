"""What a quantification leaves in its folder: maps or a table, offsets of spectra, figures."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from spinloom.evaluation.canvas import save
from spinloom.evaluation.quantify_figures import draw_fit, draw_maps
from spinloom.quantify.maps import write_map
from spinloom.tasks.quantify_methods import Quantified
from spinloom.tasks.quantify_source import Source


def write_results(folder: Path, source: Source, found: Quantified) -> None:
    """Write the maps and figures of `found` into `folder`."""
    _write_maps(folder, source, found)
    _draw(folder / "figures", source, found)


def _write_maps(folder: Path, source: Source, found: Quantified) -> None:
    """One NIfTI image a map for a series, one table for the tissues of a run; spectra with their offsets."""
    if source.grid is not None:
        for name, values in found.maps.items():
            write_map(folder / f"{name}.nii.gz", source.grid, values)
    else:
        (folder / "maps.csv").write_text(_table(found), encoding="utf-8")
    listed = "".join(f"{float(offset)!r}\n" for offset in found.offset_ppm)
    (folder / "offsets_ppm.txt").write_text(listed, encoding="utf-8")


def _table(found: Quantified) -> str:
    """One row a tissue; a spectrum takes a column an offset."""
    columns: dict[str, list[float]] = {}
    for name, values in found.maps.items():
        if values.dim() == 1:
            columns[name] = values.tolist()
        else:
            columns |= {f"{name}_{x:g}ppm": values[:, i].tolist() for i, x in enumerate(found.offset_ppm)}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(zip(*([repr(value) for value in column] for column in columns.values()), strict=True))
    return text.getvalue()


def _draw(folder: Path, source: Source, found: Quantified) -> None:
    figures = {}
    volumes = {name: values for name, values in found.maps.items() if values.dim() == 1 and "_error" not in name}
    if source.grid is not None and volumes:
        figures["maps"] = draw_maps({name: source.grid.volume(values) for name, values in volumes.items()})
    if found.curves is not None:
        figures["fit"] = draw_fit(source.offset_ppm, source.z, found.curves, found.lines or {})
    if figures:
        folder.mkdir()
    for name, figure in figures.items():
        for suffix in ("svg", "png"):
            save(figure, folder / f"{name}.{suffix}")
