"""The loop: it learns, ends early, and goes on after any interruption as if there had been none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from spinloom import Input, Requirements
from spinloom.errors import ConfigurationError, OutputError
from spinloom.evaluation.metrics import nrmse
from spinloom.learning.batches import Samples
from spinloom.learning.checkpoints import CHECKPOINT, read_checkpoint, write_checkpoint
from spinloom.learning.settings import TrainingSettings
from spinloom.learning.sources import FreshParts, Source
from spinloom.learning.training import Observers, Trained, TrainingError, train


class Decay:
    """Learns exp(-t / T1) at five times; its dropout draws on torch's generator, so that random states matter."""

    replaces, quantity, requirements = "trajectory", "mz_over_m0", Requirements()
    inputs = (Input("T1", "s", 0.5, 2.0),)

    def network(self) -> torch.nn.Module:
        layers = (torch.nn.Linear(1, 16), torch.nn.SiLU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 5))
        return torch.nn.Sequential(*layers)

    def loss(self, network: torch.nn.Module, scaled: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.mse_loss(network(scaled), targets)

    def predict(self, network: torch.nn.Module, scaled: torch.Tensor) -> torch.Tensor:
        return network(scaled)


def decays(epoch: int, chunk: int) -> Samples:
    generator = torch.Generator().manual_seed(1000 * (epoch % 997) + chunk)
    scaled = torch.rand(40, 1, generator=generator)
    t1 = 0.5 + 1.5 * scaled
    return Samples(scaled, torch.exp(-torch.linspace(0, 2, 5) / t1))


SETTINGS = {"epochs": 4, "batch": 16, "patience": None, "optimizer": {"name": "Adam", "lr": 3e-3}, "accelerator": "cpu"}


def learn(folder: Path, observers: Observers | None = None, seed: int = 0, **changes: Any) -> Trained:
    torch.manual_seed(seed)
    settings = TrainingSettings.from_config({**SETTINGS, **changes})
    source = Source(FreshParts(4, 160, decays), 0, 1000, 80)
    return train(Decay(), source, settings, nrmse, folder, {"data": "decays"}, observers)  # type: ignore[arg-type]


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


class StopError(Exception):
    """Somebody pulls the plug."""


def stopping_after(steps: int) -> Observers:
    left = [steps]

    def count(epoch: int, samples: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise StopError

    return Observers(samples=count)


def test_the_loop_learns(tmp_path: Path) -> None:
    history = learn(tmp_path, epochs=30).history
    assert len(history) == 30
    assert history[-1].metrics["validation_nrmse"] < 0.1 < history[0].metrics["validation_nrmse"]


SCHEDULES = {
    "no schedule": None,
    "a schedule by steps": {"name": "CosineAnnealingLR", "T_max": 40, "interval": "step"},
    "a schedule by epochs": {"name": "StepLR", "step_size": 1, "gamma": 0.5},
    "a schedule by the metric": {"name": "ReduceLROnPlateau", "patience": 0},
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
@pytest.mark.parametrize("steps", [1, 13, 20, 33], ids=lambda steps: f"after {steps} steps")
def test_a_training_that_was_interrupted_ends_with_the_weights_of_an_undisturbed_one(
    steps: int, schedule: dict[str, Any] | None, tmp_path: Path
) -> None:
    """Checkpoints come every three steps of ten an epoch, so that each interruption loses some."""
    options = {"schedule": schedule, "checkpoint_steps": 3, "clip": 1.0}
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = learn(tmp_path / "whole", **options)
    with pytest.raises(StopError):
        learn(tmp_path / "broken", stopping_after(steps), **options)
    # another seed from the first checkpoint on: all that matters is in it
    again = learn(tmp_path / "broken", seed=99 if steps > 3 else 0, **options)
    assert same(again.weights, whole.weights)
    assert again.history == whole.history
    assert again.steps == whole.steps == 40


def test_a_training_goes_on_to_more_epochs(tmp_path: Path) -> None:
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    whole = learn(tmp_path / "once", epochs=5)
    learn(tmp_path / "twice", epochs=2)
    assert same(learn(tmp_path / "twice", epochs=5).weights, whole.weights)


def test_epochs_of_before_are_told_again_so_that_a_new_run_logs_them_all(tmp_path: Path) -> None:
    learn(tmp_path, epochs=2)
    told: list[int] = []
    learn(tmp_path, Observers(epoch=lambda epoch: told.append(epoch.number)), epochs=4)
    assert told == [1, 2, 3, 4]


def test_training_ends_when_nothing_gets_better(tmp_path: Path) -> None:
    trained = learn(tmp_path, epochs=50, patience=2, optimizer={"name": "SGD", "lr": 0.0})
    assert len(trained.history) == 3
    assert trained.best == 1


def test_kept_are_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    trained = learn(tmp_path, epochs=6, optimizer={"name": "SGD", "lr": 0.8})
    errors = [epoch.metrics["validation_nrmse"] for epoch in trained.history]
    assert trained.best == 1 + errors.index(min(errors))


def test_a_loss_that_is_not_finite_ends_training_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"in epoch 1, .* training diverges"):
        learn(tmp_path, optimizer={"name": "SGD", "lr": 1e30})


def test_a_checkpoint_of_another_training_is_refused_with_what_differs(tmp_path: Path) -> None:
    learn(tmp_path, epochs=1)
    with pytest.raises(OutputError, match="its batch was 16 and is 8 now"):
        learn(tmp_path, batch=8)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no more"], ids=["empty", "cut short"])
def test_a_damaged_checkpoint_is_refused_with_a_sentence(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(damage)
    with pytest.raises(OutputError, match="cannot be read"):
        learn(tmp_path)


def test_the_drafts_of_a_killed_process_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / f".{CHECKPOINT}-abc").write_bytes(b"half")
    assert read_checkpoint(tmp_path, {}) is None
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, sys
from pathlib import Path
from spinloom.learning.checkpoints import write_checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
write_checkpoint(Path(sys.argv[1]), {}, {"numbers": list(range(100_000))})
"""


def test_a_disk_that_fills_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """The limit on the size of files fails a write as a full disk does, in the middle."""
    write_checkpoint(tmp_path, {}, {"epoch": 7})
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True)
    assert "OutputError: checkpoint.pt cannot be written" in done.stderr, done.stderr
    assert "The last checkpoint is whole" in done.stderr
    state = read_checkpoint(tmp_path, {})
    assert state == {"epoch": 7}
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


BAD_SETTINGS = {
    "an unknown key": ({"epoch": 3}, "Did you mean 'epochs'?"),
    "an unknown optimiser": ({"optimizer": {"name": "Adamm"}}, "Did you mean 'Adam'?"),
    "an unknown option": ({"optimizer": {"name": "Adam", "momentun": 1}}, "unexpected keyword argument 'momentun'"),
    "an unknown schedule": ({"schedule": {"name": "Cosine"}}, "training.schedule.name is 'Cosine'"),
    "an interval that is none": ({"schedule": {"name": "StepLR", "step_size": 1, "interval": "day"}}, "epoch or step"),
    "no epochs": ({"epochs": 0}, "training.epochs is 0"),
    "half a batch": ({"batch": 0.5}, "training.batch is 0.5"),
    "all samples to validate": ({"validation": 1.0}, "training.validation is 1.0"),
    "a monitor that is none": ({"monitor": "validation"}, "training.monitor is 'validation'"),
    "an accelerator that is none": ({"accelerator": "abacus"}, "accelerator=abacus"),
    "several devices": ({"devices": 2}, "`spinloom train` starts the others"),
    "a precision that is none": ({"precision": "8"}, "precision=8"),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_a_setting_that_cannot_be_used_gets_a_sentence(wrong: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        learn(tmp_path, **wrong)
    assert expected in str(refusal.value)
    assert list(tmp_path.iterdir()) == []
