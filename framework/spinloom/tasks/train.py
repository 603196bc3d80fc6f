"""Train: a network learns from a set of signals or from a simulator, and becomes a folder that stands on its own.

Until it is done, a training lives in the folder `<output>.unfinished` as checkpoints; the same command goes on there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import torch

from spinloom import tracking
from spinloom.errors import ConfigurationError
from spinloom.evaluation.metrics import nrmse
from spinloom.interfaces import RunInfo, Surrogate
from spinloom.learning.ranks import led_by_this
from spinloom.learning.settings import TrainingSettings
from spinloom.learning.training import Epoch, Observers, train
from spinloom.registry import plugins
from spinloom.tasks.clock import Clock
from spinloom.tasks.folders import check_output
from spinloom.tasks.observing import observed
from spinloom.tasks.run_simulation import Outcome
from spinloom.tasks.samples_to_learn import samples_to_learn
from spinloom.tasks.sweeps import parent_run
from spinloom.tasks.training_folder import Training, describe, training_params, write_training
from spinloom.whole_folder import whole_folder

DIRECTIONS: dict[str, Literal["min", "max"]] = {"validation_nrmse": "min", "validation_loss": "min", "loss": "min"}


def run_train(
    config: Mapping[str, Any],
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_samples: Callable[[int, int], None] = lambda epoch, samples: None,
    on_run: Callable[[tracking.Run], None] = lambda run: None,
) -> Outcome:
    """Train as `config` says (the composition of `conf/train.yaml`) and track the run.

    on_epoch: called with each epoch that ends, those of an interrupted training at once
    on_samples: called now and then with the number of epochs that are done and the samples of this one that are
    on_run: called with the tracked run as soon as it has begun

    Where `register` is given, the trained surrogate becomes the next version of the model of that name.

    Raises before any file is written where the surrogate does not fit what it shall learn.
    """
    clock, started, output = Clock(), datetime.now(UTC), Path(config["output"])
    check_output(output, config["overwrite"])
    if type(config["seed"]) is not int:
        raise ConfigurationError(f"seed is {config['seed']!r}; it is a whole number.")
    settings = TrainingSettings.from_config(config["training"])
    name, architecture, surrogate = build_surrogate(config["surrogate"])
    with clock.step("read"):
        learned = samples_to_learn(config, name, surrogate, settings)
    identity = {"surrogate": name, "architecture": architecture, **learned.identity}
    where = tracking.TrackingSettings.from_config(config["tracking"])
    check_register(config.get("register"), where)
    title = f"{name} in {output.name}"
    with tracking.run(where, task="train", name=title, parent=parent_run(), directions=DIRECTIONS) as run:
        run.log_params({**training_params(name, architecture, settings, learned.facts), "seed": config["seed"]})
        on_run(run)

        def tell(epoch: Epoch) -> None:
            run.log_metrics(epoch.metrics, step=epoch.number)
            on_epoch(epoch)

        with observed(RunInfo("train", run.run_id, output, config)):
            torch.manual_seed(config["seed"])
            drafts = _drafts(output)
            with clock.step("train"), led_by_this(settings.devices, train_along, config):
                trained = train(
                    surrogate, learned.source, settings, nrmse, drafts, identity, Observers(tell, on_samples)
                )
            done = Training(
                title, config, name, architecture, surrogate, settings, trained, learned.facts, started, run.run_id
            )
            with whole_folder(output) as folder:
                write_training(folder, done, clock)
            shutil.rmtree(drafts, ignore_errors=True)
        run.log_folder(output)
        registered = register(config.get("register"), where, run.run_id)
    return Outcome(output, run.run_id, (*describe(done), *registered))


def train_along(config: Mapping[str, Any]) -> None:
    """Train as another process of a training that has several; the first one writes and tells."""
    settings = TrainingSettings.from_config(config["training"])
    name, architecture, surrogate = build_surrogate(config["surrogate"])
    with tracking.at_work(tracking.TrackingSettings.from_config(config["tracking"])):
        learned = samples_to_learn(config, name, surrogate, settings)
    identity = {"surrogate": name, "architecture": architecture, **learned.identity}
    torch.manual_seed(config["seed"])
    train(surrogate, learned.source, settings, nrmse, _drafts(Path(config["output"])), identity, Observers())


def _drafts(output: Path) -> Path:
    """Where a training lives until it is done."""
    return output.with_name(f"{output.name}.unfinished")


def check_register(name: str | None, where: tracking.TrackingSettings) -> None:
    """Raise `ConfigurationError` where nothing can be registered under `name`, unless that is None."""
    if name is None:
        return
    tracking.check_model_name(name)
    if not where.enabled:
        raise ConfigurationError(
            f"register={name} needs a tracking store, but tracking is off; take tracking=sqlite, or leave register out."
        )


def register(name: str | None, where: tracking.TrackingSettings, run_id: str | None) -> tuple[str, ...]:
    """Register what was trained, if that is wanted; returns the sentence that says so."""
    if name is None or run_id is None:
        return ()
    return (f"Registered as {tracking.register_model(where, run_id, name)}.",)


def build_surrogate(settings: Mapping[str, Any]) -> tuple[str, dict[str, Any], Surrogate]:
    """Name, architecture and surrogate that a configuration group `surrogate` describes."""
    architecture = {str(key): value for key, value in settings.items() if key != "name"}
    name = str(settings["name"])
    return name, architecture, plugins().surrogate(name)(architecture)
