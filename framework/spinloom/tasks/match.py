"""Match: maps of numbers from fingerprints and a dictionary, with their intervals and, where known, their errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from spinloom import provenance
from spinloom.errors import ConfigurationError, known_names
from spinloom.evaluation.quantify_figures import draw_maps
from spinloom.quantify.compression import Basis, compress
from spinloom.quantify.confidence import Intervals, intervals
from spinloom.quantify.dictionary import Dictionary, read_dictionary
from spinloom.quantify.matching import Matches, match
from spinloom.quantify.posterior import posterior
from spinloom.tasks.clock import Clock
from spinloom.tasks.folders import check_output
from spinloom.tasks.match_source import Fingerprints, read_fingerprints
from spinloom.tasks.match_truth import Errors, errors_of
from spinloom.tasks.quantify_folder import save_figures, write_maps
from spinloom.tracking import RUN_FILE
from spinloom.whole_folder import whole_folder

PURE = "1"
"""The unit of a pure number."""

BEST, MEAN = "best", "mean"
"""What the maps show: numbers of the best entry, or their mean over all that could be it."""

ESTIMATES = (BEST, MEAN)


@dataclass(frozen=True)
class MatchRequest:
    """What to match, and where to.

    path: a run folder, or a 4-D NIfTI image
    dictionary: the set of signals to match it with
    output: folder of the results; `overwrite` replaces those of an earlier run
    sequence, mask: of an image, as `read_fingerprints` takes them
    quantity: `mxy` or `mz`
    rank, energy_loss: of the compression, at most one of them
    level: of the intervals, 0 for none
    estimate: one of `ESTIMATES`
    truth: folder of maps to compare with; a run knows its own
    """

    path: Path
    dictionary: Path
    output: Path
    sequence: str | None = None
    mask: Path | None = None
    quantity: str = "mxy"
    rank: int | None = None
    energy_loss: float | None = None
    level: float = 0.95
    estimate: str = BEST
    truth: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, eq=False)
class Matched:
    """All that was found; `basis`, `intervals` and `deviation` are None where they were not asked for.

    matches: of which `numbers` are what was asked for, the best entry's or means
    deviation: of the means
    """

    matches: Matches
    basis: Basis | None
    intervals: Intervals | None
    deviation: Mapping[str, Tensor] | None
    errors: Mapping[str, Errors]

    @property
    def maps(self) -> dict[str, Tensor]:
        """What is written, by name, shape `(voxels,)` each."""
        found = {**self.matches.numbers, "m0": self.matches.m0, "inner_product": self.matches.inner_product}
        for end in ("low", "high") if self.intervals else ():
            found |= {f"{name}_{end}": values for name, values in getattr(self.intervals, end).items()}
        return found | {f"{name}_error": values for name, values in (self.deviation or {}).items()}


def match_dictionary(request: MatchRequest) -> tuple[str, ...]:
    """Read, match, compare, write; returns what was found in sentences."""
    clock, started = Clock(), datetime.now(UTC)
    check_output(request.output, request.overwrite)
    if request.estimate not in ESTIMATES:
        raise ConfigurationError(f"--estimate is '{request.estimate}'. {known_names(request.estimate, ESTIMATES)}")
    with clock.step("read"):
        dictionary = read_dictionary(request.dictionary, request.quantity)
        data = read_fingerprints(request.path, dictionary, request.quantity, request.sequence, request.mask)
    found = _matched(request, dictionary, data, clock)
    sentences = describe(dictionary, data, found, request.level)
    with whole_folder(request.output) as folder:
        with clock.step("write"):
            write_maps(folder, data.grid, found.maps)
            save_figures(folder / "figures", _figures(dictionary, data, found))
        record = _record(request, dictionary, data, found)
        record |= {"started": started.isoformat(), "timings": dict(clock.timings), "notes": list(sentences)}
        (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")
    return sentences


def _matched(request: MatchRequest, dictionary: Dictionary, data: Fingerprints, clock: Clock) -> Matched:
    basis = None
    if request.rank is not None or request.energy_loss is not None:
        with clock.step("compress"):
            basis = compress(dictionary, request.rank, request.energy_loss)
    with clock.step("match"):
        matches = match(dictionary, data.signals, basis)
    if bool(matches.left_out.all()):
        raise ConfigurationError(
            f"None of the {matches.left_out.numel()} {data.kind} of {data.name} has a signal that is finite and not "
            "zero; check the series and the mask."
        )
    reached = None
    if request.level:
        with clock.step("intervals"):
            reached = intervals(dictionary, data.signals, matches, request.level)
    deviation = None
    if request.estimate == MEAN:
        with clock.step("means"):
            means = posterior(dictionary, data.signals, matches)
        matches, deviation = replace(matches, numbers=means.mean), means.deviation
    return Matched(matches, basis, reached, deviation, errors_of(matches, reached, data, request.truth))


def describe(dictionary: Dictionary, data: Fingerprints, found: Matched, level: float) -> tuple[str, ...]:
    """How many voxels were matched, what was lost by compression, the median of each number, and its errors."""
    count, left_out = found.matches.left_out.numel(), int(found.matches.left_out.sum())
    sentences = [
        f"{count - left_out} of {count} {data.kind} of {data.name} matched with {dictionary.entries:,} entries of "
        f"{dictionary.measurements} measurements."
    ]
    if left_out:
        sentences.append(f"Left out because their signals are zero or not finite: {left_out} {data.kind}.")
    if found.basis is not None:
        sentences.append(f"Compressed to rank {found.basis.rank}, which loses {found.basis.energy_loss:.2g} of energy.")
    for name, unit in dictionary.units.items():
        values = found.matches.numbers[name]
        median = f"{float(values.nanmedian()):.4g}" + ("" if unit == PURE else f" {unit}")
        sentences.append(f"{name}: median {median}{_interval(name, found, level)}")
    sentences.append(f"inner_product: median {float(found.matches.inner_product.nanmedian()):.6f}")
    sentences += [f"{name} against what is known: {errors}" for name, errors in found.errors.items()]
    return tuple(sentences)


def _interval(name: str, found: Matched, level: float) -> str:
    if found.intervals is None:
        return ""
    width = (found.intervals.high[name] - found.intervals.low[name]).nanmedian()
    return f", width of the {100 * level:g} % interval {float(width):.2g}"


def _figures(dictionary: Dictionary, data: Fingerprints, found: Matched) -> dict[str, Any]:
    if data.grid is None:
        return {}
    shown = {
        name if unit == PURE else f"{name} [{unit}]": found.matches.numbers[name]
        for name, unit in dictionary.units.items()
    }
    shown |= {"m0": found.matches.m0, "1 - inner_product": 1 - found.matches.inner_product}
    return {"maps": draw_maps({title: data.grid.volume(values) for title, values in shown.items()})}


def _record(request: MatchRequest, dictionary: Dictionary, data: Fingerprints, found: Matched) -> dict[str, Any]:
    """The content of `run.json`, without times."""
    medians = {name: float(values.nanmedian()) for name, values in found.maps.items()}
    errors = {f"{name}/{kind}": value for name, one in found.errors.items() for kind, value in one.numbers().items()}
    kept = {} if found.basis is None else {"rank": found.basis.rank, "energy_loss": found.basis.energy_loss}
    return {
        "task": "quantify",
        "name": f"match of {data.name}",
        "spinloom": provenance.versions()["spinloom"],
        "command": sys.argv[0].split() + sys.argv[1:],
        "params": {
            "method": "match",
            "input": str(request.path),
            "dictionary": str(request.dictionary),
            "digest": dictionary.digest,
            "entries": dictionary.entries,
            "quantity": request.quantity,
            "level": request.level,
            "estimate": request.estimate,
            **kept,
        },
        "metrics": {**medians, **errors, "left_out": int(found.matches.left_out.sum())},
        "tags": {"method": "match"},
        "seed": 0,
        "device": "cpu",
        "sequence": {"name": dictionary.sequence, "sha256": dictionary.sha256},
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "machine": provenance.machine(),
        "run_id": None,
    }
