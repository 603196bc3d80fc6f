"""The experiments of the networks: each composes, says its own command, and its whole road runs with few samples."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from spinloom.cli import root

FOLDERS = [resources.files(f"spinloom_{kind}_mlp.conf") / "experiment" for kind in ("dynamic", "trajectory")]
EXPERIMENTS = {Path(str(path)).stem: Path(str(path)) for folder in FOLDERS for path in folder.iterdir()}
SCENARIOS = ("amide", "amine", "iohexol", "larginine", "rnoe", "semisolid_mt")
OFF = "tracking=off"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(root, list(arguments))
    assert done.exit_code == 0, done.output
    return done


def command(path: Path) -> list[str]:
    """What an experiment says first: its own command."""
    return path.read_text(encoding="utf-8").splitlines()[1].removeprefix("# spinloom ").split()


def test_each_scenario_has_its_schedule_and_its_sets() -> None:
    for kind in ("", "set_quick_", "set_full_"):
        assert {f"dynamic_{kind}{scenario}" for scenario in SCENARIOS} <= set(EXPERIMENTS)


@pytest.mark.parametrize("path", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_an_experiment_composes_by_the_command_that_it_names(path: Path) -> None:
    task, *overrides = command(path)
    assert overrides[0] == f"experiment={path.stem}"
    shown = run(task, *overrides, "--cfg", "job")
    assert "name: " in shown.output


def test_every_network_trains_on_a_gpu_or_on_two_cores_as_its_name_says() -> None:
    """A name that ends in full is of a GPU, one in quick of a processor."""
    for name, path in EXPERIMENTS.items():
        if command(path)[0] == "train" and name.endswith(("full", "quick")):
            device = "cuda" if name.endswith("full") else "cpu"
            assert f"accelerator: {device}" in path.read_text(encoding="utf-8"), name


def test_the_road_of_the_dynamic_network_runs_with_few_samples(here: Path) -> None:
    """Two scenarios of other lengths and other simulators in one network, then one of them evaluated."""
    few = ["samples=8", "chunk=8", "protocols.count=2", OFF]
    for scenario in ("rnoe", "semisolid_mt"):
        asked = [f"experiment=dynamic_set_full_{scenario}", f"output=sets/{scenario}"]
        run("generate", *asked, *few)
    short = ["training.epochs=2", "training.schedule=null", "training.accelerator=cpu", "training.validation=0.3"]
    run("train", "experiment=dynamic_full", "set=sets", "output=model", *short, OFF)
    record = json.loads((here / "model" / "model" / "surrogate.json").read_text())
    assert record["set"]["samples"] == 32
    assert set(record["made_by"]["sequence"]) == {"rnoe", "semisolid_mt"}
    run("evaluate", "experiment=dynamic_rnoe", "model=model", "samples=5", "output=evaluation", OFF)
    metrics = json.loads((here / "evaluation" / "run.json").read_text())["metrics"]
    assert metrics["samples"] == 5
    assert 0 < metrics["nrmse"] < 10


def test_the_road_of_the_trajectory_network_runs_with_few_samples(here: Path) -> None:
    few = ["samples=8", "chunk=8", "protocols.count=2", OFF]
    run("generate", "experiment=trajectory_set_quick", "output=set", *few)
    short = ["training.epochs=2", "training.schedule=null", "training.accelerator=cpu", "training.validation=0.3"]
    run("train", "experiment=trajectory_full", "set=set", "output=model", *short, OFF)
    run("evaluate", "experiment=trajectory_unseen", "model=model", *few, "output=evaluation")
    found, made = (json.loads((here / name / "run.json").read_text()) for name in ("evaluation", "model"))
    assert found["metrics"]["samples"] == 16
    assert made["metrics"]["epochs"] == 2
    assert bool(torch.isfinite(torch.tensor(found["metrics"]["nrmse"])))
