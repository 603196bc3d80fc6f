"""Logged sets, trainings and evaluations, made again from their configuration and compared with what they were."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spinloom.errors import OutputError
from spinloom.learning.artefact import load_surrogate
from spinloom.learning.set_folder import open_sets
from spinloom.learning.signal_set import SignalSet, open_set
from spinloom.tasks.evaluate_surrogate import run_evaluate
from spinloom.tasks.generate import run_generate
from spinloom.tasks.reproduction import Repeated
from spinloom.tasks.train import run_train
from spinloom.tasks.training_folder import MODEL, SEQUENCE
from spinloom.tracking import RUN_FILE

_SIGNALS = 1e-5
"""Difference of signals in single precision that another order of additions may make, in units of M0."""

_WEIGHTS = 1e-6
"""Difference of weights of one size with the unit that is called rounding."""

_METRICS = 0.1
"""Relative difference of metrics: rounding that differs at the first step grows as a training goes on."""

_EVALUATED = 1e-4
"""Relative difference of errors that rounding of the signals may make."""

_CLOCKED = ("seconds", "times_faster")


def repeat_training(folder: Path, record: Mapping[str, Any], config: dict[str, Any]) -> Repeated:
    """Train again; what it learned from must be what it was."""
    before = load_surrogate(folder / MODEL)
    own = {"set": _set(record, config), "register": None}
    if (folder / SEQUENCE).is_file():
        own["sequence"] = str((folder / SEQUENCE).absolute())
    with _elsewhere({**config, **own}) as again:
        run_train(again)
        now = load_surrogate(again["output"])
        metrics = _record(again)["metrics"]
    if now.record["sequences"] != before.record["sequences"]:
        raise OutputError(f"The sequences that '{record['name']}' learned from are no longer what they were.")
    weights = _largest(before.network.state_dict(), now.network.state_dict())
    worst = _relative(record["metrics"], metrics)
    error = [100 * values["validation_nrmse"] for values in (record["metrics"], metrics)]
    return Repeated(
        identical=now.record["sha256_weights"] == before.record["sha256_weights"] and worst == 0,
        agrees=weights <= _WEIGHTS or worst <= _METRICS,
        differences=(
            f"the weights differ by up to {weights:.2g}",
            f"the validation NRMSE was {error[0]:.4g} % and is {error[1]:.4g} %",
        ),
    )


def repeat_evaluation(folder: Path, record: Mapping[str, Any], config: dict[str, Any]) -> Repeated:
    """Evaluate again; the model must still have the weights that it had."""
    now = load_surrogate(config["model"]).record["sha256_weights"]
    if now != record["params"]["weights"]:
        raise OutputError(
            f"model={config['model']} has other weights than when '{record['name']}' ran, so that nothing can be "
            "compared; name a version that stays, such as models:/NAME/3 or runs:/ID."
        )
    with _elsewhere(config) as again:
        run_evaluate(again)
        found = _record(again)
    _refuse_other_sequence(record, found)
    worst = _relative(record["metrics"], found["metrics"])
    error = [100 * values["metrics"]["nrmse"] for values in (record, found)]
    return Repeated(worst == 0, worst <= _EVALUATED, (f"the NRMSE was {error[0]:.6g} % and is {error[1]:.6g} %",))


def repeat_set(folder: Path, record: Mapping[str, Any], config: dict[str, Any]) -> Repeated:
    """Make a set again, and compare it with the one that was made where that is still there."""
    with _elsewhere({**config, "engine": "local", "cluster": None}) as again:
        now = run_generate(again)
        if now.digest == record["params"]["digest"]:
            return Repeated(True, True, ())
        kept = Path(record["params"]["set"])
        if not (kept / "zarr.json").is_file():
            return Repeated(False, False, (f"the set has another digest, and {kept} is no longer there to compare",))
        difference = _apart(open_set(kept), open_set(now.path))
    return Repeated(False, difference <= _SIGNALS, (f"the signals differ by up to {difference:.3g} M0",))


@contextmanager
def _elsewhere(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The configuration with an output that goes away, and untracked."""
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder:
        tracking = {**config["tracking"], "enabled": False, "uri": None}
        yield {**config, "output": str(Path(folder) / "again"), "overwrite": False, "tracking": tracking}


def _record(config: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(config["output"]) / RUN_FILE).read_text(encoding="utf-8"))
    return found


def _set(record: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Where the set of a training is; `OutputError` where another stands in its place."""
    if config["set"] is None:
        return None
    path, digest = record["params"]["set"], record["params"]["digest"]
    found = open_sets(path)
    if found.digest != digest:
        raise OutputError(
            f"The set {path} is not the one that '{record['name']}' learned from: its digest was {digest[:16]} and is "
            f"{found.digest[:16]} now. Give the first one its place again."
        )
    return str(path)


def _refuse_other_sequence(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if before["sequence"] != now["sequence"]:
        raise OutputError(
            f"The sequence that '{before['name']}' played is no longer what it was: its hash has changed."
        )


def _largest(before: Mapping[str, Tensor], now: Mapping[str, Tensor]) -> float:
    if {name: tensor.shape for name, tensor in before.items()} != {name: tensor.shape for name, tensor in now.items()}:
        raise OutputError("The networks have other weights by name or shape; its plugin has another version now.")
    return max(float((now[name] - before[name]).abs().max()) for name in before)


def _relative(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Largest relative difference of metrics, those of the clock left out."""
    pairs = [
        (float(before[name]), float(now.get(name, math.nan)))
        for name in before
        if not any(word in name for word in _CLOCKED)
    ]
    differences = [0.0 if a == b or (a != a and b != b) else abs(a - b) / max(abs(a), 1e-300) for a, b in pairs]
    return max(math.inf if value != value else value for value in differences)


def _apart(before: SignalSet, now: SignalSet) -> float:
    """Largest difference of two sets of one shape."""
    if len(before) != len(now) or not (before.measurements == now.measurements).all():
        raise OutputError(f"{before.path} holds another number of samples or measurements than was made now.")
    parts = zip(before.parts(10_000), now.parts(10_000), strict=True)
    worst = torch.zeros((), dtype=torch.float64)
    for one, other in parts:
        for name in ("mz", "mxy"):
            worst = torch.maximum(worst, (getattr(one, name) - getattr(other, name)).abs().max().double())
    return float(worst)
