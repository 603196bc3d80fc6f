"""Several processes that train one network: the weights of one, and an end for all where one of them dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from spinloom.cli import root
from spinloom.configuration import run_task
from spinloom.errors import SpinloomError
from spinloom.learning.batches import Samples, share
from spinloom.learning.ranks import RankError
from spinloom.tasks.sweeps import sweep_opener
from spinloom.tasks.train import run_train

TISSUE = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)"]


@pytest.fixture(scope="module")
def asked(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A training on a set of 61 samples in batches of 8, of which the last one of an epoch is odd."""
    folder = tmp_path_factory.mktemp("sets") / "set"
    by = ["simulator=surrogate", f"simulator.model={teacher}", "sequence=mrf_larginine_9p4t", *TISSUE]
    result = CliRunner().invoke(root, ["generate", *by, "samples=61", "chunk=16", "tracking=off", f"output={folder}"])
    assert result.exit_code == 0, result.output
    network = ["surrogate=dynamic_mlp", "surrogate.hidden=[8]", "training.accelerator=cpu", "training.batch=8"]
    return [*network, f"set={folder}", "tracking=off", "training.optimizer={name:SGD,lr:1e-2}"]


def train(arguments: list[str], **told: Any) -> None:
    run_task("train", lambda config: run_train(config, **told), arguments, sweep_opener("train"))


@pytest.mark.parametrize(("size", "ranks"), [(8, 2), (7, 2), (5, 3), (3, 2)])
def test_weighted_parts_of_a_batch_average_to_the_whole(size: int, ranks: int) -> None:
    values = torch.arange(float(size))[:, None]
    parts = [share(Samples(values, values), rank, ranks) for rank in range(ranks)]
    mean = sum(weight * float(part.targets.mean()) for part, weight in parts) / ranks
    assert mean == pytest.approx(float(values.mean()), rel=1e-12)
    assert sorted(float(v) for part, _ in parts for v in part.targets) == [float(v) for v in values]


def test_a_batch_of_fewer_samples_than_processes_is_taken_whole_by_each() -> None:
    one = Samples(torch.ones(1, 1), torch.ones(1, 1))
    assert [(len(part), weight) for part, weight in (share(one, rank, 3) for rank in range(3))] == [(1, 1.0)] * 3


def test_two_processes_end_with_the_weights_of_one(asked: list[str], here: Path) -> None:
    """And so they do when they were stopped after an epoch and go on from its checkpoint."""
    train([*asked, "training.epochs=2", "output=one"])
    two = [*asked, "training.epochs=2", "training.devices=2", "output=two"]
    with pytest.raises(StopError):
        train(two, on_epoch=_stop)
    train(two)
    one, other = (load_file(here / name / "model" / "weights.safetensors") for name in ("one", "two"))
    for name, values in one.items():
        # sums of eight numbers in single precision, added in another order, over 14 steps that change them by 1e-2
        torch.testing.assert_close(other[name], values, rtol=1e-5, atol=1e-6)


class StopError(SpinloomError):
    """Somebody pulls the plug."""


def _stop(epoch: object) -> None:
    raise StopError


def _children() -> list[int]:
    """Ids of the processes that this one has started by spawning."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in own if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_process_that_dies_ends_the_training_with_a_sentence(asked: list[str], here: Path) -> None:
    killed: list[int] = []
    others = _children()  # which tests before this one have left running

    def kill(epoch: object) -> None:
        if not killed:
            killed.extend(pid for pid in _children() if pid not in others)
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(RankError, match=r"died process 1 with exit code -9; the last checkpoint is whole"):
        train([*asked, "training.epochs=50", "training.devices=2", "output=out"], on_epoch=kill)
    assert len(killed) == 1
    assert (here / "out.unfinished" / "checkpoint.pt").is_file()
    assert not torch.distributed.is_initialized()
    assert "LOCAL_RANK" not in os.environ


def test_more_devices_than_there_are_get_a_sentence(asked: list[str], here: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has GPUs")
    arguments = ["train", *asked, "training.accelerator=cuda", "training.devices=2", "output=out"]
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == 1
    assert "training.accelerator=cuda, devices=2" in result.stderr
    assert os.listdir(here) == []
