"""What a quantification leaves in its folder: maps or a table, offsets of spectra, figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from spinloom.evaluation.canvas import save
from spinloom.evaluation.quantify_figures import draw_fit, draw_maps
from spinloom.quantify.maps import Grid, write_map
from spinloom.tasks.quantify_methods import Quantified
from spinloom.tasks.quantify_source import Source


def write_results(folder: Path, source: Source, found: Quantified) -> None:
    """Write the maps and figures of `found` into `folder`."""
    write_maps(folder, source.grid, found.maps, found.offset_ppm)
    listed = "".join(f"{float(offset)!r}\n" for offset in found.offset_ppm)
    (folder / "offsets_ppm.txt").write_text(listed, encoding="utf-8")
    _draw(folder / "figures", source, found)


def write_maps(
    folder: Path, grid: Grid | None, maps: Mapping[str, Tensor], offset_ppm: Sequence[float] | np.ndarray = ()
) -> None:
    """One NIfTI image a map where there is a grid, else one table with a row a tissue.

    maps: by name, shape `(voxels,)`, or `(voxels, offsets)` for spectra at `offset_ppm`
    """
    if grid is not None:
        for name, values in maps.items():
            write_map(folder / f"{name}.nii.gz", grid, values)
    else:
        (folder / "maps.csv").write_text(_table(maps, offset_ppm), encoding="utf-8")


def _table(maps: Mapping[str, Tensor], offset_ppm: Sequence[float] | np.ndarray) -> str:
    """One row a tissue; a spectrum takes a column an offset."""
    columns: dict[str, list[float]] = {}
    for name, values in maps.items():
        if values.dim() == 1:
            columns[name] = values.tolist()
        else:
            columns |= {f"{name}_{x:g}ppm": values[:, i].tolist() for i, x in enumerate(offset_ppm)}
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
    save_figures(folder, figures)


def save_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    """Write figures by name, each as SVG and PNG; `folder` is made where there are any."""
    if figures:
        folder.mkdir()
    for name, figure in figures.items():
        for suffix in ("svg", "png"):
            save(figure, folder / f"{name}.{suffix}")
