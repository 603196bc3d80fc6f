"""Tune: search the settings of a training; every trial is a training of its own, beneath the run of the search.

The search lives in its output folder: `search.journal` knows the trials, `trials/` holds what they left.  Interrupted,
it goes on there, the interrupted trial from its last checkpoint; finished, it goes on when more trials are asked for.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spinloom import tracking
from spinloom.errors import ConfigurationError, OutputError, SpinloomError, TrackingError
from spinloom.learning.search import Guide, Search, Settled
from spinloom.learning.search_folder import JOURNAL, open_search
from spinloom.learning.search_space import Space, read_space, with_values
from spinloom.learning.settings import TrainingSettings, build_optimizer, build_schedule
from spinloom.learning.training import Epoch
from spinloom.tasks.clock import Clock
from spinloom.tasks.folders import check_output
from spinloom.tasks.run_simulation import Outcome
from spinloom.tasks.samples_to_learn import samples_to_learn
from spinloom.tasks.sweeps import children_of, parent_run
from spinloom.tasks.train import build_surrogate, check_register, register, run_train
from spinloom.tasks.tune_folder import SUMMARY, Tuning, describe_search, write_tuning
from spinloom.whole_folder import whole_folder

_OWN = ("trials", "search", "startup", "pruning")
"""Keys of the configuration that a training does not have."""

_OF_NO_MATTER = ("output", "overwrite", "tracking", "trials", "names", "register")
"""Keys that may differ when a search goes on."""


class SearchError(SpinloomError):
    """A search that found nothing."""


@dataclass(frozen=True)
class Told:
    """Who is told: of epochs and samples of a trial, as `run_train` tells them, and of each trial that ends."""

    epoch: Callable[[Epoch], None]
    samples: Callable[[int, int], None]
    trial: Callable[[Settled], None]


def run_tune(
    config: Mapping[str, Any],
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_samples: Callable[[int, int], None] = lambda epoch, samples: None,
    on_trial: Callable[[Settled], None] = lambda trial: None,
) -> Outcome:
    """Search as `config` says (the composition of `conf/tune.yaml`) and track the search and its trials.

    on_trial: called with each trial that ends

    Raises before any file is written where a training with the settings as given would be refused, `SearchError`
    where every trial failed, and `TrackingError` after all trials where the store failed in between.
    """
    clock, started, output = Clock(), datetime.now(UTC), Path(config["output"])
    training = {**{key: value for key, value in config.items() if key not in _OWN}, "register": None}
    space, guide = _checked(config, training)
    _make_way(output, config)
    where = tracking.TrackingSettings.from_config(config["tracking"])
    check_register(config["register"], where)
    identity = {key: value for key, value in config.items() if key not in _OF_NO_MATTER}
    title = f"search of {config['surrogate']['name']} in {output.name}"
    with (
        open_search(output, space, guide, identity) as search,
        tracking.run(
            where, task="tune", name=title, parent=parent_run(), resume=search.notes.get("run_id")
        ) as run,
        children_of(run.run_id),
    ):  # fmt: skip
        search.note("run_id", run.run_id)
        told = Told(on_epoch, on_samples, on_trial)
        untracked: list[TrackingError] = []
        with clock.step("search"):
            while len(search.settled) < config["trials"]:
                _run_trial(search, training, output, told, untracked)
        done = Tuning(title, config, space, search.settled, started, run.run_id)
        if done.best is None:
            error = search.settled[-1].facts["error"]
            raise SearchError(f"All {len(search.settled)} trials of {output} failed, the last one so: {error}")
        with whole_folder(output / SUMMARY) as folder:
            write_tuning(folder, done, clock)
        run.log_folder(output / SUMMARY)
        for failure in untracked:
            raise failure
        registered = register(config["register"], where, done.best.facts["run_id"])
    return Outcome(output / SUMMARY, run.run_id, (*describe_search(done), *registered))


def _checked(config: Mapping[str, Any], training: Mapping[str, Any]) -> tuple[Space, Guide]:
    """Space and guide of the search; raises for whatever a training with the settings as given would be refused for."""
    for key, least in (("trials", 1), ("startup", 1), ("seed", 0)):
        if type(config[key]) is not int or config[key] < least:
            raise ConfigurationError(f"{key} is {config[key]!r}; it is a whole number from {least}.")
    pruning = config["pruning"]
    if pruning is not None:
        for key in ("trials", "epochs"):
            if type(pruning.get(key)) is not int or pruning[key] < 0:
                raise ConfigurationError(f"pruning.{key} is {pruning.get(key)!r}; it is a whole number from 0.")
    space = read_space(config["search"], training)
    settings = TrainingSettings.from_config(training["training"])
    name, _, surrogate = build_surrogate(training["surrogate"])
    build_schedule(settings, build_optimizer(settings, surrogate.network()))
    samples_to_learn(training, name, surrogate, settings)
    return space, Guide(config["seed"], config["startup"], pruning)


def _make_way(output: Path, config: Mapping[str, Any]) -> None:
    """See that `output` holds a search or nothing; `overwrite` takes away a search that is finished."""
    if not (output / JOURNAL).is_file():
        check_output(output, overwrite=False)
    elif config["overwrite"] and (output / SUMMARY).is_dir():
        shutil.rmtree(output)


def _run_trial(
    search: Search, training: Mapping[str, Any], output: Path, told: Told, untracked: list[TrackingError]
) -> None:
    """Train with the values that the search proposes next, and tell it what became of that."""
    number, values = search.propose()
    folder = output / "trials" / f"{number:04d}"
    monitor = training["training"]["monitor"]
    config = with_values({**training, "output": str(folder), "overwrite": True}, values)
    best = math.inf
    runs: list[tracking.Run] = []

    def begun(run: tracking.Run) -> None:
        runs.append(run)
        search.keep("run_id", run.run_id)
        run.log_params({"trial": number, **_searched(values)})

    def tell(epoch: Epoch) -> None:
        nonlocal best
        value = epoch.metrics[monitor]
        best = min(best, value)
        told.epoch(epoch)
        if search.report(epoch.number, value) and epoch.number < config["training"]["epochs"]:
            raise tracking.PrunedError(f"{monitor} was {value:.4g} after epoch {epoch.number}, worse than most trials")

    try:
        run_train(config, tell, told.samples, begun)
        if not math.isfinite(best):
            raise SearchError(f"{monitor} was never a finite number")
    except tracking.PrunedError:
        trial = search.settle("pruned")
    except OutputError:
        raise  # a full disk, say, which fails every trial; the search goes on when there is space again
    except TrackingError as error:
        untracked.append(error)
        trial = search.settle("done", best)
    except Exception as error:
        search.keep("error", f"{type(error).__name__}: {error}")
        if not runs:
            _track_failure(config, number, values, error)
        trial = search.settle("failed")
    else:
        trial = search.settle("done", best)
    shutil.rmtree(folder.with_name(f"{folder.name}.unfinished"), ignore_errors=True)
    told.trial(trial)


def _searched(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a trial as parameters of its run, under names of their own."""
    return {f"search.{key}": value for key, value in values.items()}


def _track_failure(config: Mapping[str, Any], number: int, values: Mapping[str, Any], error: Exception) -> None:
    """Track a trial that was refused before its run began."""
    where = tracking.TrackingSettings.from_config(config["tracking"])
    name = f"{config['surrogate']['name']} in {number:04d}"
    with suppress(Exception), tracking.run(where, task="train", name=name, parent=parent_run()) as run:
        run.log_params({"trial": number, **_searched(values)})
        raise error
