"""Evaluate: fresh samples, simulated exactly and predicted by a trained network, and how far the two lie apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom import tracking
from spinloom.errors import ConfigurationError, RequirementError
from spinloom.evaluation.surrogate_errors import Comparison
from spinloom.interfaces import RunInfo, Simulator
from spinloom.learning.artefact import load_surrogate
from spinloom.learning.trained_surrogate import TrainedSurrogate
from spinloom.tasks.clock import Clock
from spinloom.tasks.draws import EVALUATION, Draws, Part
from spinloom.tasks.evaluation_folder import Evaluation, describe, evaluation_params, write_evaluation
from spinloom.tasks.folders import check_output
from spinloom.tasks.observing import observed
from spinloom.tasks.run_simulation import Outcome
from spinloom.tasks.simulate import build_simulator, check_fit
from spinloom.tasks.sweeps import parent_run
from spinloom.whole_folder import whole_folder


def run_evaluate(config: Mapping[str, Any], progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Evaluate as `config` says (the composition of `conf/evaluate.yaml`) and track the run.

    progress: called after each part with the samples that are done and their number

    Raises before any file is written where network, simulator, sequence and tissue do not fit each other.
    """
    clock, started, output = Clock(), datetime.now(UTC), Path(config["output"])
    check_output(output, config["overwrite"])
    for key, least in (("seed", 0), ("chunk", 1)):
        if type(config[key]) is not int or config[key] < least:
            raise ConfigurationError(f"{key} is {config[key]!r}; it is a whole number from {least}.")
    simulator = build_simulator(config["simulator"])
    _refuse_images(simulator, config["simulator"]["name"])
    trained = load_surrogate(config["model"], str(config["simulator"].get("device", "cpu")))
    draws = Draws(config, EVALUATION, config["chunk"])
    with clock.step("read"):
        _check(draws, simulator, trained, config["simulator"]["name"])
    name = f"{trained.name} against {config['simulator']['name']}"
    settings = tracking.TrackingSettings.from_config(config["tracking"])
    with tracking.run(settings, task="evaluate", name=name, parent=parent_run()) as run:
        run.log_params({**evaluation_params(config, trained, draws.samples), "seed": config["seed"]})
        with observed(RunInfo("evaluate", run.run_id, output, config)), whole_folder(output) as folder:
            with clock.step("evaluate"):
                found = _Collected()
                for number in range(draws.parts):
                    found.add(draws.part(number), simulator, trained)
                    if progress is not None:
                        progress(found.samples, draws.samples)
            done = Evaluation(
                name,
                config,
                trained,
                found.comparison(trained),
                found.seconds,
                found.notes(trained),
                started,
                run.run_id,
            )
            write_evaluation(folder, done, draws.sequences, clock)
        run.log_folder(output)
    return Outcome(output, run.run_id, describe(done))


def _refuse_images(simulator: Simulator, name: str) -> None:
    if "tissue" not in simulator.requirements.subject:
        raise RequirementError(
            f"Simulator '{name}' makes images of a phantom, and an evaluation compares signals of tissues; choose a "
            "simulator of tissues, such as simulator=cest."
        )


def _check(draws: Draws, simulator: Simulator, trained: TrainedSurrogate, name: str) -> None:
    """Refuse what does not fit, and play one tissue of each sequence, so that compilation is not timed."""
    each = draws.parts // len(draws.sequences)
    for number in range(0, draws.parts, each):
        part = draws.part(number)
        check_fit(simulator, name, part.timeline, part.tissue[:1])
        trained.check(part.timeline, part.tissue[:1])
    first = draws.part(0)
    probe = Part(first.timeline, first.tissue[:2], first.columns)
    probe.simulated(simulator)
    trained.predict(probe.timeline, probe.tissue)


@dataclass
class _Collected:
    """What has been evaluated so far.

    seconds: processor time that the simulator and the network took (wall time where a GPU computes) [s]
    """

    predicted: list[np.ndarray] = field(default_factory=list)
    exact: list[np.ndarray] = field(default_factory=list)
    features: list[np.ndarray] = field(default_factory=list)
    columns: list[Mapping[str, np.ndarray]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"simulator": 0.0, "network": 0.0})
    outside: list[Tensor] = field(default_factory=list)
    said: dict[str, None] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Samples that are done."""
        return sum(map(len, self.exact))

    def add(self, part: Part, simulator: Simulator, trained: TrainedSurrogate) -> None:
        """Simulate and predict a part."""
        with self._timed("simulator", trained.device):
            signal = part.simulated(simulator)
        with self._timed("network", trained.device), torch.no_grad():
            prediction = trained.predict(part.timeline, part.tissue)
        with torch.no_grad():
            features = trained.surrogate.features(part.timeline, part.tissue)
        self.exact.append(_array(trained.surrogate.targets(signal)))
        self.predicted.append(_array(prediction.signals))
        self.features.append(_array(features))
        self.columns.append(part.columns)
        self.outside.append(prediction.outside)
        self.said |= dict.fromkeys(signal.notes)

    def _timed(self, what: str, device: torch.device) -> _Timed:
        return _Timed(self.seconds, what, device)

    def notes(self, trained: TrainedSurrogate) -> tuple[str, ...]:
        """On inputs of the network that lie outside their valid range, and what the simulator said."""
        return (*self._range_notes(trained), *self.said)

    def _range_notes(self, trained: TrainedSurrogate) -> tuple[str, ...]:
        counts = torch.cat(self.outside).sum(0).tolist()
        return tuple(
            f"{entry.name} is outside the network's valid range, {entry.low:.4g} to {entry.high:.4g} {entry.unit}, in "
            f"{count:,} of {self.samples:,} samples."
            for entry, count in zip(trained.inputs, counts, strict=True)
            if count
        )

    def comparison(self, trained: TrainedSurrogate) -> Comparison:
        """All of it, sequences of different lengths padded by NaN; numbers by the name of their input or address."""
        length = max(values.shape[1] for values in self.exact)
        exact, predicted = (np.concatenate([_padded(v, length) for v in vs]) for vs in (self.exact, self.predicted))
        units = {entry.name: entry.unit for entry in trained.inputs}
        numbers = {name: self._input(place, length) for place, name in enumerate(units)}
        for address in self.columns[0]:
            values = np.concatenate([columns[address] for columns in self.columns])[:, None]
            same = (known.shape == values.shape and np.allclose(known, values, rtol=1e-6) for known in numbers.values())
            if not any(same):
                numbers[address], units[address] = values, ""
        return Comparison(predicted, exact, numbers, units)

    def _input(self, place: int, length: int) -> np.ndarray:
        """An input of the network, one column where it does not change from step to step."""
        parts = [features[..., place] for features in self.features]
        if parts[0].ndim == 1:
            return np.concatenate(parts)[:, None]
        whole = np.concatenate([_padded(part, length) for part in parts])
        return whole[:, :1] if bool((np.nanmin(whole, 1) == np.nanmax(whole, 1)).all()) else whole


class _Timed:
    """Adds the processor time of a block to `seconds[what]`, wall time where the device is no CPU."""

    def __init__(self, seconds: dict[str, float], what: str, device: torch.device) -> None:
        self._seconds, self._what, self._device = seconds, what, device

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.process_time() if self._device.type == "cpu" else time.perf_counter()

    def __enter__(self) -> None:
        self._start = self._now()

    def __exit__(self, *exception: object) -> None:
        self._seconds[self._what] += self._now() - self._start


def _array(values: Tensor) -> np.ndarray:
    plain: np.ndarray = values.detach().cpu().double().numpy()
    return plain


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.pad(values, ((0, 0), (0, length - values.shape[1])), constant_values=np.nan)
