"""How a network is trained, read from a configuration: epochs, batches, optimiser, schedule, device, precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch

from spinloom.errors import ConfigurationError, known_names

MONITORS = ("validation_nrmse", "validation_loss")

_LAST_CHANGED = ("epochs", "patience", "checkpoint_steps")
"""Settings that may differ when a training goes on: they change nothing of the epochs that are done."""


@dataclass(frozen=True)
class TrainingSettings:
    """The configuration's group `training`.

    epochs: at most
    batch: samples of a step of the optimiser
    buffer: samples that are held and shuffled at once
    validation: share of a set's samples that validate
    validation_samples: that validate at most
    optimizer: name of one of `torch.optim`, and its options
    schedule: name of one of `torch.optim.lr_scheduler`, `interval` (`epoch` or `step`) and its options, or None
    clip: largest norm of the gradient, or None
    patience: epochs without a better `monitor` after which training ends, or None
    monitor: which metric tells the best weights, `validation_nrmse` or `validation_loss`
    checkpoint_steps: steps between checkpoints within an epoch; there is one after each epoch too
    accelerator, devices, precision: as Lightning Fabric names them; `devices` is a number of GPUs, or of processes

    Raises `ConfigurationError` for a value that cannot be used.
    """

    epochs: int = 200
    batch: int = 2048
    buffer: int = 1_000_000
    validation: float = 0.1
    validation_samples: int = 10_000
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"name": "Adam", "lr": 1e-4})
    schedule: Mapping[str, Any] | None = None
    clip: float | None = None
    patience: int | None = 20
    monitor: str = "validation_nrmse"
    checkpoint_steps: int = 1000
    accelerator: str = "auto"
    devices: int = 1
    precision: str = "32-true"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "buffer", "validation_samples", "checkpoint_steps", "devices"):
            _check(name, getattr(self, name), int, 1, "a whole number from 1")
        if self.patience is not None:
            _check("patience", self.patience, int, 1, "null or a whole number from 1")
        if self.clip is not None:
            _check("clip", self.clip, (int, float), 1e-300, "null or a number above 0")
        if not (isinstance(self.validation, float) and 0 < self.validation < 1):
            raise ConfigurationError(f"training.validation is {self.validation!r}; it is a share between 0 and 1.")
        if self.monitor not in MONITORS:
            raise ConfigurationError(
                f"training.monitor is {self.monitor!r}. {known_names(str(self.monitor), MONITORS)}"
            )

    @classmethod
    def from_config(cls, mapping: Mapping[str, Any]) -> TrainingSettings:
        """Settings from the group `training`; what is left out has its default."""
        known = [item.name for item in fields(cls)]
        for key in mapping:
            if key not in known:
                raise ConfigurationError(f"training.{key} is no key of a training. {known_names(key, known)}")
        return cls(**mapping)

    @property
    def lasting(self) -> dict[str, Any]:
        """Settings that a training which goes on must share with the one that began."""
        return {name: value for name, value in asdict(self).items() if name not in _LAST_CHANGED}


def _check(name: str, value: Any, kind: type | tuple[type, ...], least: float, words: str) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not value >= least:  # type: ignore[operator]
        raise ConfigurationError(f"training.{name} is {value!r}; it is {words}.")


def build_optimizer(settings: TrainingSettings, network: torch.nn.Module) -> torch.optim.Optimizer:
    """The optimiser of the network's parameters; `ConfigurationError` for a name or option that torch does not know."""
    options = dict(settings.optimizer)
    known = _classes(torch.optim, torch.optim.Optimizer)
    kind = _named("optimizer", options, known)
    return _made("optimizer", kind, network.parameters(), options)


def build_schedule(
    settings: TrainingSettings, optimizer: torch.optim.Optimizer
) -> torch.optim.lr_scheduler.LRScheduler | None:
    """The schedule of the learning rate, or None; raises as `build_optimizer` does."""
    if settings.schedule is None:
        return None
    options = {key: value for key, value in settings.schedule.items() if key != "interval"}
    known = _classes(torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler)
    interval = schedule_interval(settings)
    if interval not in ("epoch", "step"):
        raise ConfigurationError(f"training.schedule.interval is {interval!r}; it is epoch or step.")
    return _made("schedule", _named("schedule", options, known), optimizer, options)


def schedule_interval(settings: TrainingSettings) -> str:
    """When the schedule moves on: after each `epoch` or after each `step`."""
    return str((settings.schedule or {}).get("interval", "epoch"))


def _classes(module: Any, base: type) -> dict[str, Any]:
    """What a module of torch offers by name, without the base itself and LBFGS, which needs a loop of its own."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base and name not in _LEFT_OUT
    }


_LEFT_OUT = ("LBFGS", "_LRScheduler")


def _named(group: str, options: dict[str, Any], known: Mapping[str, Any]) -> Any:
    name = str(options.pop("name", None))
    if name not in known:
        raise ConfigurationError(f"training.{group}.name is '{name}'. {known_names(name, known)}")
    return known[name]


def _made(group: str, kind: Any, subject: Any, options: Mapping[str, Any]) -> Any:
    try:
        return kind(subject, **options)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"training.{group} of name {kind.__name__} cannot be built: {error}.") from error
