"""`spinloom train` as a user runs it: from a set, from a simulator, killed, swept, and what it says to bad input."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import zarr
from click.testing import CliRunner, Result

from spinloom import load_surrogate, open_set
from spinloom.cli import root
from spinloom.configuration import run_task
from spinloom.sequence_sources import sequence_content
from spinloom.tasks.sweeps import sweep_opener
from spinloom.tasks.train import run_train

TISSUE = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)", "tissue.t2=loguniform(0.6, 1.2)"]
SEQUENCE = "sequence=mrf_larginine_9p4t"
NETWORK = ["surrogate=dynamic_mlp", "surrogate.hidden=[8]", "training.accelerator=cpu", "training.batch=8"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


def train(*arguments: str) -> Result:
    return run("train", *NETWORK, "tracking=off", *arguments)


def failure(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.stderr


@pytest.fixture(scope="module")
def learned_from(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 60 signals that a network of random weights made."""
    folder = tmp_path_factory.mktemp("sets") / "set"
    by = ["simulator=surrogate", f"simulator.model={teacher}", SEQUENCE, *TISSUE, "samples=60", "chunk=16"]
    result = run("generate", *by, "tracking=off", f"output={folder}")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def trained(learned_from: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of an undisturbed training of twelve epochs."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    result = train(f"set={learned_from}", "training.epochs=12", f"output={folder}")
    assert result.exit_code == 0, result.output
    return folder


def test_the_run_folder_holds_the_network_its_history_and_a_report(trained: Path) -> None:
    expected = ["config.yaml", "figures", "history.csv", "model", "report.html", "run.json"]
    assert sorted(os.listdir(trained)) == expected
    assert not trained.with_name("run.unfinished").exists()
    history = list(csv.DictReader((trained / "history.csv").open()))
    record = json.loads((trained / "run.json").read_text())
    best = min(float(row["validation_nrmse"]) for row in history)
    assert len(history) == 12
    assert record["metrics"]["validation_nrmse"] == pytest.approx(best, rel=1e-12)
    assert "<svg" in (trained / "report.html").read_text()


def test_the_network_knows_where_it_comes_from(trained: Path, learned_from: Path) -> None:
    record = load_surrogate(trained).record
    found = open_set(learned_from)
    assert record["set"]["digest"] == found.digest
    assert len(record["sequences"]) == 1
    assert record["training"]["epochs"] == 12
    assert record["made_by"]["simulator"]["name"] == "surrogate"


def test_a_training_killed_in_mid_work_ends_with_the_same_weights(
    trained: Path, learned_from: Path, here: Path
) -> None:
    """The process is killed by SIGKILL as soon as there is a checkpoint, wherever it is then."""
    asked = [f"set={learned_from}", "training.epochs=12", "training.checkpoint_steps=1", "output=killed"]
    arguments = [sys.executable, "-m", "spinloom", "train", *NETWORK, "tracking=off", *asked]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = here / "killed.unfinished" / "checkpoint.pt"
    deadline = time.monotonic() + 120
    while not checkpoint.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert os.listdir(here) == ["killed.unfinished"]
    result = train(*asked)
    assert result.exit_code == 0, result.output
    weights = [(folder / "model" / "weights.safetensors").read_bytes() for folder in (here / "killed", trained)]
    assert weights[0] == weights[1]
    assert os.listdir(here) == ["killed"]


def test_a_buffer_smaller_than_the_set_trains_as_well(learned_from: Path, here: Path) -> None:
    result = train(f"set={learned_from}", "training.buffer=20", "training.epochs=2", "output=small")
    assert result.exit_code == 0, result.output
    steps = int(result.output.split(" steps")[0].split()[-1])
    assert steps >= 2 * 54 // 8 - 2  # about a tenth of the 60 samples validates, and each epoch sees the others once


def test_fresh_samples_of_a_simulator_do_without_a_set(teacher: Path, here: Path) -> None:
    by = ["simulator=surrogate", f"simulator.model={teacher}", SEQUENCE, *TISSUE, "samples=32", "chunk=16"]
    result = train(*by, "training.epochs=2", "output=fresh")
    assert result.exit_code == 0, result.output
    assert "2 epochs, 8 steps" in result.output
    assert load_surrogate(here / "fresh").record["set"] is None


def test_a_sweep_is_a_parent_with_a_child_a_job_and_a_failed_child_leaves_the_others(
    learned_from: Path, here: Path
) -> None:
    from mlflow import MlflowClient

    rates = "training.optimizer.lr=1e-3,1e-2,1e30"
    result = run("train", "-m", *NETWORK, f"set={learned_from}", "training.epochs=2", rates, "output=sweep")
    assert result.exit_code == 1
    assert "training diverges" in result.stderr
    client = MlflowClient(f"sqlite:///{here / 'mlruns' / 'spinloom.db'}")
    runs = client.search_runs([client.get_experiment_by_name("spinloom").experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.info.status for run in children) == ["FAILED", "FINISHED", "FINISHED"]
    assert parent.info.status == "FAILED"
    failed = next(run for run in children if run.info.status == "FAILED")
    assert "training diverges" in failed.data.tags["spinloom.traceback"]
    assert failed.data.params["digest"] == open_set(learned_from).digest
    assert "1e+30" in failed.data.params["training.optimizer"]
    child = next(run for run in children if run.info.status == "FINISHED")
    history = client.get_metric_history(child.info.run_id, "loss")
    assert [point.step for point in history if point.step] == [1, 2]
    assert "best/validation_nrmse" in child.data.metrics
    assert child.data.params["digest"] == open_set(learned_from).digest
    logged = {file.path for file in client.list_artifacts(child.info.run_id, "model")}
    assert logged == {"model/surrogate.json", "model/weights.safetensors"}
    assert all((here / "sweep" / number / "model").is_dir() for number in "01")


BAD_INPUT = {
    "nothing to learn from": ([], ["add set=FOLDER", "simulator=NAME"]),
    "a set that is none": (["set=no/set"], ["no/set holds no set of signals"]),
    "an unknown surrogate": (["surrogate=dynamic_mpl"], ["'dynamic_mpl'", "Did you mean 'dynamic_mlp'?"]),
    "an unknown key": (["+training.epoch=1", "set=SET"], ["training.epoch is no key", "'epochs'"]),
    "an unknown optimiser": (["training.optimizer.name=Adm", "set=SET"], ["'Adm'", "Did you mean 'Adam'?"]),
    "another sequence than the set's": (["set=SET", "sequence=mrf_mt_7t"], ["made with sequence=mrf_larginine_9p4t"]),
    "another tissue than the set's": (["set=SET", "tissue=water_3t"], ["made with tissue=larginine_phantom_9p4t"]),
    "a seed that is no number": (["set=SET", "seed=x"], ["seed is 'x'"]),
    "a grid instead of draws": (
        ["simulator=cest", SEQUENCE, "tissue=larginine_phantom_9p4t", "tissue.t1='range(1, 3, 1)'"],
        ["ranges are all drawn"],
    ),
    "a network of another activation": (["set=SET", "surrogate.activation=relu6"], ["'relu6'", "silu"]),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gets_one_sentence_and_writes_nothing(
    wrong: list[str], expected: list[str], learned_from: Path, here: Path
) -> None:
    message = failure(train("output=out", *(word.replace("SET", str(learned_from)) for word in wrong)))
    assert all(words in message for words in expected), message
    assert os.listdir(here) == []


def test_results_are_not_replaced_unless_asked(trained: Path, learned_from: Path) -> None:
    assert "add overwrite=true" in failure(train(f"set={learned_from}", f"output={trained}"))


@pytest.fixture
def own_set(learned_from: Path, here: Path) -> Path:
    """A copy of the set that a test may damage."""
    subprocess.run(["cp", "-r", str(learned_from), str(here / "set")], check=True)
    return here / "set"


def test_numbers_that_are_none_are_refused_by_name(own_set: Path) -> None:
    array = zarr.open_group(str(own_set), mode="r+")["numbers"]["water_pool.t1"]
    array[20] = np.nan
    message = failure(train(f"set={own_set}", "output=out"))
    assert "samples 16 to 31 of protocol 0" in message
    assert "'water_pool.t1' that is no finite number" in message


def test_a_truncated_chunk_is_refused_with_its_place(own_set: Path) -> None:
    chunk = own_set / "mxy" / "c" / "2" / "0"
    chunk.write_bytes(chunk.read_bytes()[:40])
    message = failure(train(f"set={own_set}", "output=out"))
    assert "samples 32 to 47 of protocol 0" in message
    assert "the set is damaged" in message


def test_the_seed_of_the_run_decides_whatever_was_drawn_before(learned_from: Path, trained: Path, here: Path) -> None:
    torch.manual_seed(12345)
    assert train(f"set={learned_from}", "training.epochs=12", "output=again").exit_code == 0
    weights = [(folder / "model" / "weights.safetensors").read_bytes() for folder in (here / "again", trained)]
    assert weights[0] == weights[1]


def test_a_chunk_that_is_gone_is_refused_and_not_taken_for_zeros(own_set: Path) -> None:
    (own_set / "mz" / "c" / "1" / "0").unlink()
    message = failure(train(f"set={own_set}", "output=out"))
    assert "samples 16 to 31 of protocol 0" in message
    assert "'mz' that is no finite number" in message


def test_a_set_of_another_version_is_refused_unless_that_version_is_asked_for(own_set: Path) -> None:
    group = zarr.open_group(str(own_set), mode="r+")
    group.attrs["attributes"] = {**group.attrs["attributes"], "spinloom": "0.0.7"}
    message = failure(train(f"set={own_set}", "output=out"))
    assert "was made by Spinloom 0.0.7" in message
    assert "accept it as it is with set_version=0.0.7" in message
    assert train(f"set={own_set}", "output=out", "set_version=0.0.7", "training.epochs=1").exit_code == 0


def test_the_sequence_of_a_set_is_known_by_its_bytes_and_not_by_its_name(learned_from: Path, here: Path) -> None:
    content = sequence_content("mrf_larginine_9p4t")
    (here / "own.seq").write_bytes(content)
    asked = [f"set={learned_from}", "sequence=own.seq", "training.epochs=1", "output=out"]
    assert train(*asked).exit_code == 0
    (here / "own.seq").write_bytes(content.replace(b"[DEFINITIONS]", b"# another\n[DEFINITIONS]"))
    assert "but sequence=own.seq is asked for; leave sequence out" in failure(train(*asked, "overwrite=true"))


FILLING = """
import resource, sys
from spinloom.configuration import run_task
from spinloom.errors import OutputError
from spinloom.tasks.sweeps import sweep_opener
from spinloom.tasks.train import run_train

def fill(epoch):
    if epoch.number == 5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

try:
    run_task("train", lambda config: run_train(config, fill), sys.argv[1:], sweep_opener("train"))
except OutputError as error:
    print(error)
"""
"""From its fifth epoch on no file may grow beyond 4 kB, which fails a write in its middle as a full disk does."""


def test_a_disk_that_fills_in_mid_training_leaves_a_checkpoint_to_go_on_from(
    learned_from: Path, trained: Path, here: Path
) -> None:
    asked = [f"set={learned_from}", "training.epochs=12", "output=out"]
    command = [sys.executable, "-c", FILLING, *NETWORK, "tracking=off", *asked]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "checkpoint.pt cannot be written" in said
    assert "The last checkpoint is whole" in said
    assert os.listdir(here) == ["out.unfinished"]
    epochs: list[int] = []

    def go_on(config: dict[str, Any]) -> None:
        run_train(config, on_samples=lambda epoch, samples: epochs.append(epoch))

    run_task("train", go_on, command[3:], sweep_opener("train"))
    assert epochs[0] == 5  # those that are done when it goes on
    weights = [(folder / "model" / "weights.safetensors").read_bytes() for folder in (here / "out", trained)]
    assert weights[0] == weights[1]
