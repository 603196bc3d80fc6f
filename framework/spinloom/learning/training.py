"""The loop that trains a network: batches in, gradient steps, a look at fresh samples after each epoch.

The loop is ours; Lightning Fabric brings device, precision and several processes, of which each takes its part of
every batch and the first one writes (`spinloom.learning.ranks`).  Interrupted at any step, even by
SIGKILL, and called again, it ends with the weights of an undisturbed run: on the CPU bit for bit.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from spinloom.errors import ConfigurationError, SpinloomError
from spinloom.interfaces import Surrogate
from spinloom.learning.batches import Samples, share
from spinloom.learning.checkpoints import read_checkpoint, write_checkpoint
from spinloom.learning.ranks import is_one_of_several
from spinloom.learning.settings import TrainingSettings, build_optimizer, build_schedule, schedule_interval
from spinloom.learning.sources import Source

Measure = Callable[[Tensor, Tensor], float]
"""A number for how far predictions lie from what is right, such as `spinloom.evaluation.metrics.nrmse`."""


class TrainingError(SpinloomError):
    """A training that leads nowhere."""


@dataclass(frozen=True)
class Epoch:
    """What an epoch reached: its number, counted from 1, and metrics by name."""

    number: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Trained:
    """A training that is done.

    weights: of the best epoch, on the CPU
    best: number of that epoch
    history: of all epochs
    steps: of the optimiser
    device: that it ran on
    """

    weights: dict[str, Tensor]
    best: int
    history: tuple[Epoch, ...]
    steps: int
    device: str


@dataclass(frozen=True)
class Observers:
    """Who is told: of every epoch that ends, and now and then of samples of this epoch that are done."""

    epoch: Callable[[Epoch], None] = lambda epoch: None
    samples: Callable[[int, int], None] = lambda epoch, samples: None


def train(
    surrogate: Surrogate,
    source: Source,
    settings: TrainingSettings,
    measure: Measure,
    folder: Path,
    identity: Mapping[str, Any],
    observers: Observers | None = None,
) -> Trained:
    """Train a fresh network of `surrogate`, or go on with the one in `folder`.

    measure: of free-running predictions against targets, logged as `validation_nrmse`
    folder: of checkpoints
    identity: what makes this training beside its settings, such as the digest of its set

    Fresh weights are drawn by torch's generator, which the caller seeds.  Raises `TrainingError` where the loss is
    not finite.
    """
    loop = Loop(surrogate, source, settings, measure, folder, {**settings.lasting, **identity})
    observers = observers or Observers()
    validating = [group.to(loop.fabric.device) for group in source.validating()]
    _refuse_nothing_to_learn(surrogate, validating)
    loop.resume(observers)
    while not loop.ended:
        loop.run_epoch(observers)
        loop.close_epoch(validating, observers)
    return loop.trained()


class Loop:
    """A training in progress: the one mutable thing of this room.

    Its `state` is what a checkpoint holds beside network, optimiser and schedule.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        source: Source,
        settings: TrainingSettings,
        measure: Measure,
        folder: Path,
        identity: Mapping[str, Any],
    ) -> None:
        self._surrogate, self._source, self._settings = surrogate, source, settings
        self._measure, self._folder, self._identity = measure, folder, identity
        self.fabric = _fabric(settings)
        network = surrogate.network()
        self._network, self._optimizer = self.fabric.setup(network, build_optimizer(settings, network))
        self._schedule = build_schedule(settings, self._optimizer.optimizer)
        self._state: dict[str, Any] = {
            "epoch": 0,
            "batch": 0,
            "steps": 0,
            "samples": 0,
            "loss": 0.0,
            "history": [],
            "best": 0,
            "best_value": math.inf,
            "best_weights": None,
        }

    @property
    def ended(self) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        patience, epoch = self._settings.patience, self._state["epoch"]
        return epoch >= self._settings.epochs or (patience is not None and epoch - self._state["best"] >= patience)

    def resume(self, observers: Observers) -> None:
        """Go on from the checkpoint where there is one; its epochs are told to the observers again."""
        found = read_checkpoint(self._folder, self._identity)
        if found is None:
            return
        self._state = found["loop"]
        self._network.load_state_dict(found["network"])
        self._optimizer.load_state_dict(found["optimizer"])
        if self._schedule is not None:
            self._schedule.load_state_dict(found["schedule"])
        for epoch in self._history():
            observers.epoch(epoch)

    def run_epoch(self, observers: Observers) -> None:
        """The batches that are left of this epoch, a step for each."""
        state, settings = self._state, self._settings
        self._network.train()
        total = torch.tensor(state["loss"], dtype=torch.float64, device=self.fabric.device)
        for batch in self._source.batches(state["epoch"], settings.batch, state["batch"]):
            total += self._step(batch).double() * len(batch)
            state["batch"] += 1
            state["steps"] += 1
            state["samples"] += len(batch)
            if state["steps"] % settings.checkpoint_steps == 0:
                state["loss"] = self._finite(float(total))
                self.save()
            observers.samples(state["epoch"], state["samples"])
        state["loss"] = self._finite(float(total))

    def _step(self, batch: Samples) -> Tensor:
        """A step of the optimiser; returns the loss of the whole batch."""
        own, weight = share(batch, self.fabric.global_rank, self.fabric.world_size)
        own = own.to(self.fabric.device)
        self._optimizer.zero_grad()
        loss = self._surrogate.loss(self._network, own.scaled, own.targets)
        if weight != 1.0:
            loss = weight * loss
        self.fabric.backward(loss)
        if self._settings.clip is not None:
            self.fabric.clip_gradients(self._network, self._optimizer, max_norm=self._settings.clip)
        self._optimizer.step()
        if self._schedule is not None and schedule_interval(self._settings) == "step":
            self._schedule.step()
        return self._mean(loss.detach())

    def _mean(self, loss: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.fabric.world_size == 1:
            return loss
        mean = self.fabric.all_reduce(loss, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return mean

    def close_epoch(self, validating: Sequence[Samples], observers: Observers) -> None:
        """Validate, keep the best weights, move the schedule on, write a checkpoint, tell the observers."""
        state = self._state
        rate = float(self._optimizer.param_groups[0]["lr"])
        metrics = {
            "loss": state["loss"] / max(state["samples"], 1),
            **self.fabric.broadcast(self._validate(validating)),
            "learning_rate": rate,
        }
        value = metrics[self._settings.monitor]
        state["epoch"] += 1
        if value < state["best_value"]:
            weights = {name: tensor.cpu().clone() for name, tensor in self._network.state_dict().items()}
            state |= {"best": state["epoch"], "best_value": value, "best_weights": weights}
        if self._schedule is not None and schedule_interval(self._settings) == "epoch":
            plateau = isinstance(self._schedule, torch.optim.lr_scheduler.ReduceLROnPlateau)
            self._schedule.step(value) if plateau else self._schedule.step()
        state["history"].append(metrics)
        state |= {"batch": 0, "samples": 0, "loss": 0.0}
        self.save()
        observers.epoch(Epoch(state["epoch"], metrics))

    def _validate(self, validating: Sequence[Samples]) -> dict[str, float]:
        """Loss and free-running error of samples that were not trained on."""
        self._network.eval()
        with torch.no_grad():
            losses = [
                float(self._surrogate.loss(self._network, group.scaled, group.targets)) * len(group)
                for group in validating
            ]
            found = [self._surrogate.predict(self._network, group.scaled).flatten() for group in validating]
        right = torch.cat([group.targets.flatten() for group in validating])
        loss = self._finite(sum(losses)) / sum(map(len, validating))
        return {"validation_loss": loss, "validation_nrmse": self._measure(torch.cat(found), right)}

    def save(self) -> None:
        """Write a checkpoint, if this is the first process."""
        if not self.fabric.is_global_zero:
            return
        schedule = None if self._schedule is None else self._schedule.state_dict()
        state = {
            "loop": self._state,
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": schedule,
        }
        write_checkpoint(self._folder, self._identity, state)

    def trained(self) -> Trained:
        """What has been reached."""
        state = self._state
        weights = copy.deepcopy(state["best_weights"])
        return Trained(weights, state["best"], self._history(), state["steps"], str(self.fabric.device))

    def _history(self) -> tuple[Epoch, ...]:
        return tuple(Epoch(number, metrics) for number, metrics in enumerate(self._state["history"], 1))

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} in epoch {self._state['epoch'] + 1}, after {self._state['steps']:,} steps: "
                "training diverges. Take a smaller training.optimizer.lr, or set training.clip."
            )
        return loss


def _refuse_nothing_to_learn(surrogate: Surrogate, validating: Sequence[Samples]) -> None:
    if not validating:
        raise ConfigurationError("No sample validates; take more samples, or a larger training.validation.")
    low = min(float(group.targets.min()) for group in validating)
    high = max(float(group.targets.max()) for group in validating)
    if low == high:
        raise ConfigurationError(
            f"There is nothing to learn: the {surrogate.quantity} of every sample is {high:g}; take a sequence that "
            "measures it."
        )


def _fabric(settings: TrainingSettings) -> Fabric:
    if settings.devices > 1 and not is_one_of_several():
        raise ConfigurationError(
            f"training.devices is {settings.devices}, and there is one process; `spinloom train` starts the others."
        )
    try:
        fabric = Fabric(
            accelerator=settings.accelerator,
            devices=settings.devices,
            strategy="auto" if settings.devices == 1 else "ddp",
            precision=settings.precision,  # type: ignore[arg-type]
        )
    except (ValueError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(
            f"training.accelerator={settings.accelerator}, devices={settings.devices}, precision={settings.precision} "
            f"cannot be used here: {reason}"
        ) from error
    fabric.launch()
    return fabric
