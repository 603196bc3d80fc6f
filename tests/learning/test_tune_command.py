"""`spinloom tune` as a user runs it: its trials are runs beneath it, whatever becomes of them, even killed."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from spinloom import load_surrogate
from spinloom.cli import root
from spinloom.learning.checkpoints import CHECKPOINT
from spinloom.learning.search_folder import JOURNAL
from spinloom.tasks.runs import list_runs
from spinloom.tracking import TrackingSettings, find_run

NETWORK = ["surrogate=dynamic_mlp", "surrogate.hidden=[8]", "training.accelerator=cpu", "training.batch=8"]
RATES = "search.training.optimizer.lr=loguniform(1e-4, 1e-1)"


@pytest.fixture(scope="module")
def learned_from(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 48 signals that a network of random weights made."""
    folder = tmp_path_factory.mktemp("sets") / "set"
    by = ["simulator=surrogate", f"simulator.model={teacher}", "sequence=mrf_larginine_9p4t"]
    tissue = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)"]
    result = CliRunner().invoke(root, ["generate", *by, *tissue, "samples=48", "tracking=off", f"output={folder}"])
    assert result.exit_code == 0, result.output
    return folder


def _arguments(learned_from: Path, *arguments: str) -> list[str]:
    return ["tune", *NETWORK, f"set={learned_from}", "output=out", "training.epochs=2", *arguments]


def _tune(learned_from: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, _arguments(learned_from, *arguments))


def _trials(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "summary" / "trials.csv").open()))


def test_good_and_failed_trials_are_tracked_beneath_a_search_that_goes_on(learned_from: Path, here: Path) -> None:
    # A batch of 0 is refused before the trial's run begins; a rate of 1e30 diverges within it.
    space = ["search.training.batch=choice(0, 8, 9)", "search.training.optimizer.lr=choice(1e-3, 1e30)", "trials=6"]
    done = _tune(learned_from, *space, "register=found")
    assert done.exit_code == 0, done.output

    trials = _trials(here / "out")
    good = [trial["training.batch"] != "0" and trial["training.optimizer.lr"] == "0.001" for trial in trials]
    assert [trial["outcome"] for trial in trials] == ["done" if well else "failed" for well in good]
    assert any(good)
    assert any("diverges" in trial["error"] for trial in trials)
    assert any("training.batch is 0" in trial["error"] for trial in trials)
    best = min((trial for trial in trials if trial["outcome"] == "done"), key=lambda t: float(t["validation_nrmse"]))
    assert yaml.safe_load((here / "out/summary/best.yaml").read_text())["training.optimizer.lr"] == 1e-3
    assert f"Best is trial {best['trial']}" in done.output
    assert load_surrogate("models:/found").record["run_id"] == best["run"]

    search, *children = [item.run for item in list_runs(TrackingSettings(), limit=20)]
    assert (search.task, search.status) == ("tune", "finished")
    assert search.metrics["best/validation_nrmse"] == pytest.approx(float(best["validation_nrmse"]), rel=1e-5)
    assert {run.parent for run in children} == {search.run_id}
    statuses = {int(run.params["trial"]): {"finished": "done"}.get(run.status, run.status) for run in children}
    assert [statuses[number] for number in range(6)] == [trial["outcome"] for trial in trials]
    for run in children:
        assert run.params["search.training.batch"] in ("0", "8", "9")
        if run.status == "failed":
            assert "Traceback" in run.tags["spinloom.traceback"]


def test_a_search_in_which_every_trial_fails_has_failed(learned_from: Path, here: Path) -> None:
    done = _tune(learned_from, "search.training.batch=choice(0, -1)", "trials=2")
    assert done.exit_code == 1
    assert "All 2 trials of out failed, the last one so: ConfigurationError: training.batch is" in done.stderr
    assert "Traceback" not in done.output
    assert [item.run.status for item in list_runs(TrackingSettings(), limit=20)] == ["failed"] * 3


def test_a_finished_search_goes_on_and_ends_hopeless_trials_early(learned_from: Path, here: Path) -> None:
    # By their first epoch the second and third rate of this seed are worse than the first was by then.
    settings = [RATES, "pruning.trials=1", "pruning.epochs=1", "training.epochs=4"]
    first = _tune(learned_from, *settings, "trials=1")
    before = (here / "out" / JOURNAL).read_text()
    second = _tune(learned_from, *settings, "trials=4")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (here / "out" / JOURNAL).read_text().startswith(before)
    assert "trial 0:" not in second.output
    trials = _trials(here / "out")
    pruned = [trial for trial in trials if trial["outcome"] == "pruned"]
    assert pruned
    for trial in pruned:
        run = find_run(TrackingSettings(), trial["run"])
        assert int(trial["epochs"]) < 4
        assert run.status == "pruned"
        assert "worse than most trials" in run.tags["spinloom.pruned"]
        assert float(run.params["search.training.optimizer.lr"]) > 0
    kept = {f"{int(trial['trial']):04d}" for trial in trials if trial["outcome"] == "done"}
    assert {path.name for path in (here / "out" / "trials").iterdir()} == kept
    assert [item.run.task for item in list_runs(TrackingSettings(), limit=20)] == ["tune", *["train"] * 4]


def test_a_killed_search_goes_on_and_finds_what_an_undisturbed_one_finds(learned_from: Path, here: Path) -> None:
    settings = [RATES, "trials=2", "pruning=null", "training.epochs=12"]
    whole = _tune(learned_from, *settings, "tracking=off")
    assert whole.exit_code == 0, whole.output
    (here / "out").rename(here / "undisturbed")

    command = [sys.executable, "-m", "spinloom", *_arguments(learned_from, *settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    second = here / "out" / "trials" / "0001.unfinished" / CHECKPOINT
    give_up = time.monotonic() + 120
    while not second.exists() and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (here / "out" / "summary").exists()
    assert second.exists()

    again = _tune(learned_from, *settings)
    assert again.exit_code == 0, again.output
    columns = ("trial", "outcome", "validation_nrmse", "epochs", "training.optimizer.lr")
    found = [[trial[name] for name in columns] for trial in _trials(here / "out")]
    assert found == [[trial[name] for name in columns] for trial in _trials(here / "undisturbed")]
    search, *children = [item.run for item in list_runs(TrackingSettings(), limit=20)]
    assert search.status == "finished"
    assert [run.status for run in children] == ["finished", "killed", "finished"]
    assert {run.parent for run in children} == {search.run_id}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Nothing is to be searched"),
        (["search.training.lr=uniform(0, 1)"], "'training' has no key 'lr'"),
        ([RATES, "trials=0"], "trials is 0; it is a whole number from 1."),
        ([RATES, "pruning.epochs=few"], "pruning.epochs is 'few'"),
        ([RATES, "set=nowhere"], "nowhere"),
        ([RATES, "training.optimizer.name=Adm"], "training.optimizer.name is 'Adm'. Did you mean 'Adam'?"),
    ],
    ids=["no range", "unknown key", "no trials", "pruning", "no set", "optimiser"],
)
def test_bad_input_is_a_sentence_and_nothing_is_written(
    learned_from: Path, here: Path, arguments: list[str], sentence: str
) -> None:
    done = _tune(learned_from, *arguments)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.output
    assert os.listdir(here) == []
