"""Sweeps by every launcher: children of one parent, a failed one with its traceback, and the parent closed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hydra.core.global_hydra import GlobalHydra
from mlflow import MlflowClient

from spinloom.cli import root
from spinloom.configuration import SweepError, run_task
from spinloom.tasks.sweeps import PARENT_RUN, sweep_opener
from spinloom.tissue.files import tissue_path

NETWORK = ["surrogate=dynamic_mlp", "surrogate.hidden=[8]", "training.accelerator=cpu", "training.batch=8"]
TISSUE = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)"]

LAUNCHERS = {
    "processes of this machine, by joblib": ("joblib", ["hydra.launcher.n_jobs=2"]),
    "jobs of a queue, by submitit": ("submitit", ["hydra.launcher.timeout_min=10"]),
    "tasks of a cluster, by Ray": ("ray", []),
}


def run(*arguments: str) -> Result:
    GlobalHydra.instance().clear()
    return CliRunner().invoke(root, list(arguments))


@pytest.fixture(autouse=True)
def _fresh_workers() -> Iterator[None]:
    """Joblib keeps its workers for the next call of the process, and their working directory with them."""
    yield
    if "joblib" in sys.modules:
        sys.modules["joblib"].externals.loky.get_reusable_executor().shutdown(wait=True)


@pytest.fixture(scope="module")
def learned_from(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 40 signals that a network of random weights made."""
    folder = tmp_path_factory.mktemp("sets") / "set"
    by = ["simulator=surrogate", f"simulator.model={teacher}", "sequence=mrf_larginine_9p4t", *TISSUE]
    assert run("generate", *by, "samples=40", "chunk=40", "tracking=off", f"output={folder}").exit_code == 0
    return folder


def family(folder: Path) -> tuple[Any, list[Any]]:
    """The parent run of the store in a folder, and its children."""
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'spinloom.db'}")
    runs = client.search_runs([client.get_experiment_by_name("spinloom").experiment_id])
    (parent,) = [found for found in runs if "mlflow.parentRunId" not in found.data.tags]
    children = [found for found in runs if found.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == len(runs) - 1
    return parent, children


@pytest.mark.parametrize(("launcher", "options"), LAUNCHERS.values(), ids=LAUNCHERS.keys())
def test_the_others_finish_when_one_fails(
    launcher: str, options: list[str], learned_from: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tissue is a file of its own, which is laid beside the shipped ones for the length of the sweep."""
    module = launcher if launcher == "ray" else f"hydra_plugins.hydra_{launcher}_launcher"
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    monkeypatch.delenv(PARENT_RUN, raising=False)
    choice = "submitit_local" if launcher == "submitit" else launcher
    rates = "training.optimizer.lr=1e30,1e-3"
    asked = [*NETWORK, f"set={learned_from}", "training.epochs=1", rates, "output=sweep"]
    result = run("train", "-m", f"hydra/launcher={choice}", *options, *asked)
    assert result.exit_code == 1
    assert "training diverges" in result.stderr
    parent, children = family(here)
    assert parent.info.status == "FAILED"
    ended = {child.info.status: child for child in children}
    assert sorted(child.info.status for child in children) == ["FAILED", "FINISHED"]
    assert "TrainingError: The loss is" in ended["FAILED"].data.tags["spinloom.traceback"]
    assert "1e+30" in ended["FAILED"].data.params["training.optimizer"]
    assert "best/validation_nrmse" in ended["FINISHED"].data.metrics
    # what a job says of itself is the command that was given, not that of the process which ran it
    assert ended["FINISHED"].data.tags["spinloom.command"].startswith(f"spinloom train -m hydra/launcher={choice}")
    assert (here / "sweep" / "1" / "model").is_dir()
    assert not [path.name for path in here.iterdir() if path.name.startswith(".spinloom")]


def test_a_process_that_dies_ends_a_sweep_of_joblib_with_a_sentence(here: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")

    def die(config: dict[str, Any]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    GlobalHydra.instance().clear()
    with pytest.raises(SweepError, match="A process that ran a job of the sweep died"):
        run_task("train", die, ["-m", *launcher, *NETWORK, "seed=0,1", "output=sweep"], sweep_opener("train"))
    parent, _ = family(here)
    assert parent.info.status == "FAILED"


def test_a_job_of_ray_whose_worker_dies_is_begun_anew(here: Path) -> None:
    pytest.importorskip("ray")

    def die_once(config: dict[str, Any]) -> None:
        mark = Path(f"begun_{config['seed']}")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        Path(f"done_{config['seed']}").touch()

    GlobalHydra.instance().clear()
    asked = ["-m", "hydra/launcher=ray", *NETWORK, "seed=0,1", "output=sweep"]
    run_task("train", die_once, asked, sweep_opener("train"))
    assert sorted(path.name for path in here.glob("*_?")) == ["begun_0", "begun_1", "done_0", "done_1"]
    parent, _ = family(here)
    assert parent.info.status == "FINISHED"


def test_a_job_that_is_refused_before_it_begins_is_a_failed_child_too(learned_from: Path, here: Path) -> None:
    asked = [*NETWORK, f"set={learned_from}", "training.epochs=1", "surrogate.activation=relu6,silu", "output=sweep"]
    result = run("train", "-m", *asked)
    assert result.exit_code == 1
    parent, children = family(here)
    assert sorted(child.info.status for child in children) == ["FAILED", "FINISHED"]
    refused = next(child for child in children if child.info.status == "FAILED")
    assert refused.data.params["surrogate.activation"] == "relu6"
    assert "'relu6'" in refused.data.tags["spinloom.error"]
    assert parent.info.status == "FAILED"


def test_jobs_find_a_tissue_that_is_a_file(teacher: Path, here: Path) -> None:
    """It is laid beside the shipped ones for the length of the sweep, where other machines see it as well."""
    if importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None:
        pytest.skip("hydra_joblib_launcher is not installed")
    for name in ("first", "second"):
        shutil.copy(tissue_path("larginine_phantom_9p4t"), here / f"{name}.yaml")
    by = ["simulator=surrogate", f"simulator.model={teacher}", "sequence=mrf_larginine_9p4t", "output=sweep"]
    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    result = run("simulate", "-m", *launcher, *by, "tissue=first.yaml,second.yaml")
    assert result.exit_code == 0, result.output
    parent, children = family(here)
    assert [parent.info.status, *(child.info.status for child in children)] == ["FINISHED"] * 3
    assert {child.data.params["tissue"] for child in children} == {"first", "second"}
