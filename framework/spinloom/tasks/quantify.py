"""Quantify: maps from Z-spectra, written into one folder with figures and a record, whole or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from spinloom import provenance
from spinloom.errors import ConfigurationError
from spinloom.tasks.clock import Clock
from spinloom.tasks.folders import check_output
from spinloom.tasks.quantify_folder import write_results
from spinloom.tasks.quantify_methods import Quantified
from spinloom.tasks.quantify_source import Source, read_source
from spinloom.tracking import RUN_FILE
from spinloom.whole_folder import whole_folder


@dataclass(frozen=True)
class Request:
    """What to quantify, and where to.

    path: a run folder, or a 4-D NIfTI image
    sequence, mask, larmor: as `read_source` takes them
    output: folder of the results; `overwrite` replaces those of an earlier run
    """

    path: Path
    sequence: str | None
    mask: Path | None
    larmor: float | None
    output: Path
    overwrite: bool


def quantify(
    method: str, request: Request, solve: Callable[[Source], Quantified], options: Mapping[str, Any]
) -> tuple[str, ...]:
    """Read, solve by `solve`, write; returns what was found in sentences.

    method, options: for the record
    """
    clock, started = Clock(), datetime.now(UTC)
    check_output(request.output, request.overwrite)
    with clock.step("read"):
        source = read_source(request.path, request.sequence, request.mask, request.larmor)
    with clock.step("quantify"):
        found = solve(source)
    if bool(found.left_out.all()):
        raise ConfigurationError(
            f"None of the {found.left_out.numel()} {source.kind} of {source.name} has a finite spectrum; check the "
            "series, its M0 scans and the mask."
        )
    sentences = describe(source, found)
    with whole_folder(request.output) as folder:
        with clock.step("write"):
            write_results(folder, source, found)
        record = _record(method, request, source, found, options)
        record |= {"started": started.isoformat(), "timings": dict(clock.timings), "notes": list(sentences)}
        (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")
    return sentences


def describe(source: Source, found: Quantified) -> tuple[str, ...]:
    """How many voxels were quantified, how many were not, and the median of each map."""
    count, left_out = found.left_out.numel(), int(found.left_out.sum())
    sentences = [f"{count - left_out} of {count} {source.kind} of {source.name} quantified. {source.m0_source}"]
    if left_out:
        sentences.append(f"Left out because their spectra are not finite: {left_out} {source.kind}.")
    if found.fit is not None and (stuck := int((~found.fit.converged & ~found.left_out).sum())):
        sentences.append(f"Not converged: {stuck} {source.kind}; their values are the best that were found.")
    shown = [name for name, values in found.maps.items() if values.dim() == 1 and not name.endswith("_error")]
    sentences += [f"{name}: median {_median(found.maps[name]):.4g}" for name in shown]
    return tuple(sentences)


def _median(values: Tensor) -> float:
    return float(values.nanmedian())


def _record(
    method: str, request: Request, source: Source, found: Quantified, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of `run.json`, without times."""
    medians = {name: _median(values) for name, values in found.maps.items() if values.dim() == 1}
    timeline = source.acquisition.timeline
    return {
        "task": "quantify",
        "name": f"{method} of {source.name}",
        "spinloom": provenance.versions()["spinloom"],
        "command": sys.argv[0].split() + sys.argv[1:],
        "params": {"method": method, "input": str(request.path), "sequence": request.sequence, **options},
        "metrics": {**{k: v for k, v in medians.items() if v == v}, "left_out": int(found.left_out.sum())},
        "tags": {"method": method},
        "seed": 0,
        "device": "cpu",
        "sequence": None if timeline is None else {"name": Path(timeline.source).stem, "sha256": timeline.sha256},
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "machine": provenance.machine(),
        "run_id": None,
    }
