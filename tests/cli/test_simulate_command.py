"""`spinloom simulate` as a user runs it: the main job, sweeps, experiments, and what it says to bad input."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

import spinloom
from spinloom.cli import root

QUICK = ["simulator=cest", "sequence=aptw_3t_block", "tissue=wm_3t_7pool", "tracking=off"]
"""A job of a second: one block pulse a measurement, nothing tracked."""


def simulate(*arguments: str) -> Result:
    """The command in this process, in the working directory."""
    return CliRunner().invoke(root, ["simulate", *arguments])


def failure(result: Result) -> str:
    """The one line that a failed command printed."""
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def main_job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo in a process of its own: its run folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "spinloom", "simulate", "experiment=aptw_white_matter", "output=results"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder / "results", done.stdout


def test_the_main_job_ends_with_what_it_found_and_where_it_lies(main_job: tuple[Path, str]) -> None:
    lines = main_job[1].splitlines()
    assert "34 measurements" in lines[0]
    assert lines[1].startswith("The largest MTR asymmetry is ")
    assert lines[2] == "Report: results/report.html"
    assert lines[3].endswith("open the page with: spinloom ui")


def test_the_run_folder_holds_everything(main_job: tuple[Path, str]) -> None:
    assert sorted(os.listdir(main_job[0])) == [
        "config.yaml",
        "figures",
        "report.html",
        "run.json",
        "sequence.seq",
        "signal.zarr",
        "zspectrum.csv",
    ]
    assert (main_job[0] / "sequence.seq").read_bytes() == shipped("aptw_3t_36pulses").read_bytes()


def shipped(name: str) -> Path:
    return Path(spinloom.read_sequence(name).source)


def test_the_spectrum_has_one_row_a_measurement_in_the_files_order(main_job: tuple[Path, str]) -> None:
    rows = list(csv.DictReader((main_job[0] / "zspectrum.csv").open()))
    assert list(rows[0]) == ["offset_ppm", "mz", "mz_over_m0"]
    assert [float(row["offset_ppm"]) for row in rows] == [-300.0, *np.arange(-4, 4.01, 0.25)]
    mz = np.array([float(row["mz"]) for row in rows])
    assert np.array_equal(spinloom.read_signal(main_job[0]).mz.numpy(), mz)
    assert [float(row["mz_over_m0"]) for row in rows] == pytest.approx(mz / mz[0], rel=1e-15)


def test_python_gives_the_numbers_of_the_command_in_three_lines(main_job: tuple[Path, str]) -> None:
    sequence = spinloom.read_sequence("aptw_3t_36pulses")
    signal = spinloom.simulate(simulator="cest", sequence=sequence, tissue="wm_3t_7pool")
    assert np.array_equal(signal.mz.numpy(), spinloom.read_signal(main_job[0]).mz.numpy())


def test_the_logged_configuration_is_resolved_and_whole(main_job: tuple[Path, str]) -> None:
    config = yaml.safe_load((main_job[0] / "config.yaml").read_text())
    assert config["simulator"]["name"] == "cest"
    assert config["tissue"]["cest_pool"]["amide"]["k"] == 50
    assert "${" not in (main_job[0] / "config.yaml").read_text()


def test_the_run_is_in_the_local_store_with_its_parameters_metrics_and_files(main_job: tuple[Path, str]) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{main_job[0].parent / 'mlruns' / 'spinloom.db'}")
    record = json.loads((main_job[0] / "run.json").read_text())
    run = client.get_run(record["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["sequence"] == "aptw_3t_36pulses"
    assert run.data.params["simulator.name"] == "cest"
    assert run.data.metrics["mtr_asymmetry_max"] == record["metrics"]["mtr_asymmetry_max"]
    assert run.data.tags["sequence.sha256"] == spinloom.read_sequence("aptw_3t_36pulses").sha256
    logged = {item.path for item in client.list_artifacts(record["run_id"])}
    assert {"config.yaml", "report.html", "sequence.seq", "zspectrum.csv", "signal.zarr", "figures"} <= logged


def test_a_tracked_run_reproduces_bit_for_bit(main_job: tuple[Path, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spinloom", "reproduce", json.loads((main_job[0] / "run.json").read_text())["run_id"]],
        cwd=main_job[0].parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "aptw_3t_36pulses on wm_3t_7pool: reproduced bit for bit.\n", done.stderr


def test_a_run_whose_sequence_was_exchanged_does_not_reproduce(main_job: tuple[Path, str], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(main_job[0], tmp_path / "run")
    shutil.copy(shipped("aptw_3t_block"), tmp_path / "run" / "sequence.seq")
    result = CliRunner().invoke(root, ["reproduce", str(tmp_path / "run")])
    assert "is not the one that it played: its hash has changed" in failure(result)


def test_a_run_whose_numbers_were_changed_is_told_from_its_repetition(
    main_job: tuple[Path, str], tmp_path: Path
) -> None:
    import shutil

    import zarr

    shutil.copytree(main_job[0], tmp_path / "run")
    mz = zarr.open_group(str(tmp_path / "run" / "signal.zarr"), mode="r+")["mz"]
    mz[3] = mz[3] + 1e-6
    result = CliRunner().invoke(root, ["reproduce", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert "NOT reproduced; the signals differ by up to 1e-06 M0" in result.output


def test_paths_do_as_well_as_names_and_keys_of_a_tissue_file_can_be_overridden(here: Path) -> None:
    (here / "mine.yaml").write_text("water_pool: {t1: 1.0, t2: 0.04}\nb0: 3\n")
    (here / "mine.seq").write_bytes(shipped("aptw_3t_block").read_bytes())
    common = ["simulator=cest", "sequence=mine.seq", "tissue=mine.yaml", "tracking=off"]
    assert simulate(*common, "output=plain").exit_code == 0
    assert simulate(*common, "tissue.b0_inhom=0.25", "output=shifted").exit_code == 0
    plain, shifted = (spinloom.read_signal(name).mz.numpy() for name in ("plain", "shifted"))
    assert np.abs(shifted[2:] - plain[1:-1]).max() < 2e-3  # one step of 0.25 ppm to the right; the wings differ a bit


def test_show_configuration_prints_it_and_runs_nothing(here: Path) -> None:
    result = simulate(*QUICK, "--cfg", "job")
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["sequence"] == "aptw_3t_block"
    assert os.listdir(here) == []


EXPERIMENTS = Path(spinloom.__file__).parent / "conf" / "experiment"


def first_comment(path: Path) -> str:
    """What an experiment says first: its own command."""
    return next(line for line in path.read_text().splitlines() if line.startswith("# ") and "@package" not in line)


def experiments(task: str) -> list[Path]:
    """Shipped experiments of a task."""
    return [
        path for path in sorted(EXPERIMENTS.glob("*.yaml")) if first_comment(path).startswith(f"# spinloom {task} ")
    ]


def test_every_experiment_is_of_a_task_that_is_tried_here() -> None:
    assert sorted(EXPERIMENTS.glob("*.yaml")) == sorted([*experiments("simulate"), *experiments("generate")])


@pytest.mark.parametrize("path", experiments("simulate"), ids=lambda path: path.stem)
def test_every_experiment_names_its_own_command_first_and_runs(path: Path, here: Path) -> None:
    assert first_comment(path) == f"# spinloom simulate experiment={path.stem}"
    result = simulate(f"experiment={path.stem}", "tracking=off", "output=results")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", experiments("generate"), ids=lambda path: path.stem)
def test_every_experiment_of_sets_names_its_own_command_first_and_composes(path: Path, here: Path) -> None:
    """Sets of published size take minutes; what they would hold is composed, and their sizes are tested elsewhere."""
    assert first_comment(path).startswith(f"# spinloom generate experiment={path.stem} output=")
    result = CliRunner().invoke(root, ["generate", f"experiment={path.stem}", "output=set", "--cfg", "job"])
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(result.stdout)["simulator"]["name"] in ("cest", "mt")


def test_a_sweep_is_a_parent_run_with_a_child_a_job(here: Path) -> None:
    from mlflow import MlflowClient

    arguments = ["simulator=cest", "sequence=aptw_3t_block", "tissue=wm_3t_7pool,water_3t", "tissue.b0_inhom=0,0.1"]
    result = simulate("-m", *arguments, "output=sweep")
    assert result.exit_code == 0, result.output
    client = MlflowClient(f"sqlite:///{here / 'mlruns' / 'spinloom.db'}")
    experiment = client.get_experiment_by_name("spinloom")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(children) == 4
    folders = [here / "sweep" / str(number) for number in range(4)]
    shifts = [yaml.safe_load((folder / "config.yaml").read_text())["tissue"]["b0_inhom"] for folder in folders]
    assert shifts == [0, 0.1, 0, 0.1]
    assert "SPINLOOM_PARENT_RUN" not in os.environ


def test_a_job_that_fails_fails_its_sweep_and_leaves_the_others(here: Path) -> None:
    from mlflow import MlflowClient

    arguments = ["simulator=cest", "sequence=aptw_3t_block", "tissue=wm_3t_7pool", "tissue.water_pool.t2=0.04,0"]
    result = simulate("-m", *arguments, "output=sweep")
    assert result.exit_code == 1
    assert "'water_pool.t2' is 0" in result.stderr
    assert (here / "sweep" / "0" / "zspectrum.csv").is_file()
    client = MlflowClient(f"sqlite:///{here / 'mlruns' / 'spinloom.db'}")
    runs = client.search_runs([client.get_experiment_by_name("spinloom").experiment_id])
    parent = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status for run in parent] == ["FAILED"]


def test_a_server_that_is_down_keeps_the_results_and_says_how_to_log_them_later(here: Path) -> None:
    arguments = [*QUICK[:3], "tracking=server", "tracking.uri=http://127.0.0.1:9", "output=results"]
    message = failure(simulate(*arguments))
    assert "http://127.0.0.1:9" in message
    assert "spinloom track results" in message
    assert (here / "results" / "zspectrum.csv").is_file()
    later = CliRunner().invoke(root, ["track", "results", "--uri", f"sqlite:///{here / 'later.db'}"])
    assert later.exit_code == 0, later.output


BAD_INPUT = {
    "an unknown simulator": (["simulator=cesst"], ["'cesst'", "Did you mean 'cest'?"]),
    "an unknown tissue": (["tissue=wm_3t_7pol"], ["'wm_3t_7pol'", "Did you mean 'wm_3t_7pool'?"]),
    "an unknown sequence": (["sequence=aptw_3t_blok"], ["'aptw_3t_blok'", "Did you mean 'aptw_3t_block'?"]),
    "an unknown experiment": (["experiment=aptw"], ["no experiment 'aptw'", "aptw_white_matter"]),
    "an unknown key": (["simulatr=cest"], ["'simulatr'", "Did you mean 'simulator'?"]),
    "an unknown key of the simulator": (["simulator.rtoll=1"], ["'rtoll'", "Did you mean 'rtol'?"]),
    "an unknown key of a pool": (["tissue.cest_pool.amide.kk=1"], ["'cest_pool.amide.kk'", "Did you mean 'k'?"]),
    "an unknown key of tracking": (["tracking.url=x"], ["'url'", "Did you mean 'uri'?"]),
    "a missing sequence file": (["sequence=no/such.seq"], ["no/such.seq", "check the path"]),
    "a missing tissue file": (["tissue=no/such.yaml"], ["no/such.yaml", "Or give the path"]),
    "negative T1": (["tissue.water_pool.t1=-1"], ["'water_pool.t1' is -1", "above zero"]),
    "T2 of zero": (["tissue.water_pool.t2=0"], ["'water_pool.t2' is 0", "above zero"]),
    "a negative fraction": (["tissue.cest_pool.amide.f=-0.1"], ["'cest_pool.amide.f' is -0.1"]),
    "a negative exchange rate": (["tissue.cest_pool.amide.k=-1"], ["'cest_pool.amide.k' is -1"]),
    "a timing that is none": (["simulator.timing=peers"], ["simulator.timing is 'peers'", "physical, pulseq_cest"]),
    "a sign that is none": (["simulator.shape_phase=pulseqcest"], ["is 'pulseqcest'", "Did you mean 'pulseq_cest'?"]),
    "an accuracy that is none": (["simulator.rtol=0"], ["simulator.rtol is 0", "positive"]),
    "cells that are none": (["simulator.cells=0"], ["simulator.cells is 0", "'all'"]),
    "an unknown type": (["simulator.dtype=float16"], ["'float16'", "float32, float64"]),
    "an unknown device": (["simulator.device=gpu"], ["'gpu'", "simulator.device=cpu"]),
    "a seed that is no number": (["seed=x"], ["seed is 'x'", "whole number"]),
    "a store that is none": (["tracking=sqlite", "tracking.uri=foo"], ["'foo'", "sqlite:///"]),
    "an override that does not parse": (["sequence=[a"], ["[a"]),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gets_one_sentence_and_writes_nothing(wrong: list[str], expected: list[str], here: Path) -> None:
    message = failure(simulate(*QUICK, *wrong))
    assert all(words in message for words in expected), message
    assert os.listdir(here) == []


def test_a_choice_that_is_not_made_is_asked_for_with_what_there_is(here: Path) -> None:
    assert "'sequence' is not given; add sequence=" in failure(simulate("simulator=cest", "tissue=water_3t"))
    missing = failure(simulate("simulator=cest", "sequence=aptw_3t_block"))
    assert "'tissue' is not given; add tissue=NAME. Known: " in missing
    missing = failure(simulate("simulator=bloch", "sequence=aptw_3t_block"))
    assert "'phantom' is not given; add phantom=NAME. Known: brain" in missing


def test_a_sequence_without_rf_or_adc_is_refused_by_name(here: Path) -> None:
    text = shipped("aptw_3t_block").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("TotalDuration")]
    blocks = lines.index("[BLOCKS]") + 1
    silent = [line.split() for line in lines[blocks : blocks + 4]]
    for column, what in ((2, "RF pulses"), (6, "ADC events")):
        rows = [" ".join([*row[:column], "0", *row[column + 1 :]]) for row in silent]
        (here / "part.seq").write_text("\n".join([*lines[:blocks], *rows, "", *lines[lines.index("[RF]") - 1 :]]))
        message = failure(simulate(*QUICK[:1], "sequence=part.seq", *QUICK[2:], "output=out"))
        assert f"needs a sequence with {what}" in message
    assert os.listdir(here) == ["part.seq"]


def test_results_are_not_replaced_unless_asked(here: Path) -> None:
    assert simulate(*QUICK, "output=out").exit_code == 0
    assert "add overwrite=true" in failure(simulate(*QUICK, "output=out"))
    assert simulate(*QUICK, "output=out", "overwrite=true").exit_code == 0


def test_a_plugins_own_configuration_and_observer_take_part_in_a_run(plugin_environment, tmp_path: Path) -> None:
    arguments = ["sequence=aptw_3t_block", "tissue=water_3t", "tracking=off", "output=out"]
    done = plugin_environment.python("-m", "spinloom", "simulate", "simulator=toy", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "toy.txt").is_file()
