"""`spinloom runs` lists, shows and compares what is in a store, and says in a sentence what is not."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner, Result

from spinloom import tracking
from spinloom.cli import root
from spinloom.tracking import TrackingSettings
from spinloom.tracking.opening import open_client


@dataclass(frozen=True)
class Store:
    """A store with a sweep of a good and a failed training, and a lone simulation."""

    uri: str
    good: str
    failed: str
    alone: str


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    settings = TrackingSettings(uri=f"sqlite:///{tmp_path_factory.mktemp('runs') / 'runs.db'}")
    with tracking.sweep(settings, task="train", name="rates") as sweep:
        with tracking.run(settings, task="train", name="good", parent=sweep.run_id) as good:
            good.log_params({"lr": 1e-3, "batch": 64})
            good.log_metrics({"best/validation_nrmse": 0.0123, "loss": 0.5})
        with (
            pytest.raises(ValueError, match="diverged"),
            tracking.run(settings, task="train", name="bad", parent=sweep.run_id) as bad,
        ):
            bad.log_params({"lr": 10.0, "batch": 64})
            raise ValueError("diverged")
    with tracking.run(settings, task="simulate", name="alone") as alone:
        pass
    open_client(TrackingSettings(uri=settings.uri, experiment="empty"))
    return Store(settings.store_uri, str(good.run_id), str(bad.run_id), str(alone.run_id))


def _run(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["runs", "--uri", store.uri, *arguments])


def _rows(done: Result) -> list[list[str]]:
    assert done.exit_code == 0, done.output
    return [line.split() for line in done.output.splitlines()]


def test_the_table_fits_and_shows_a_sweep_as_a_tree(store: Store) -> None:
    done = _run(store)
    lines = done.output.splitlines()
    assert done.exit_code == 0
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ["id", "name", "task", "status", "started", "duration", "result"]
    names = lines[0].index("name")
    assert [line[names : names + 8].rstrip() for line in lines[1:]] == ["alone", "rates", "  bad", "  good"]
    assert [row[3] for row in _rows(done)[1:]] == ["finished", "failed", "failed", "finished"]
    assert lines[-1].endswith("validation_nrmse 0.0123")


def test_sorted_and_chosen_values_have_columns(store: Store) -> None:
    rows = _rows(_run(store, "--filter", "params.batch = '64'", "--sort", "loss", "--param", "lr", "--metric", "loss"))
    assert rows[0][-2:] == ["lr", "loss"]
    assert {row[1]: row[-2:] for row in rows[1:]} == {
        "rates": ["-", "-"],
        "good": ["0.001", "0.5"],
        "bad": ["10.0", "-"],
    }


def test_json_holds_everything(store: Store) -> None:
    listed = json.loads(_run(store, "--json", "--task", "simulate").output)
    assert [run["run_id"] for run in listed] == [store.alone]
    (good,) = (run for run in json.loads(_run(store, "--json").output) if run["run_id"] == store.good)
    assert good["params"] == {"batch": "64", "lr": "0.001"}
    assert good["metrics"] == {"best/validation_nrmse": 0.0123, "loss": 0.5}


def test_a_failed_run_is_shown_with_its_error(store: Store) -> None:
    done = _run(store, "show", store.failed)
    assert done.exit_code == 0
    shown = dict(line.split(maxsplit=1) for line in done.output.splitlines() if " " in line.strip())
    assert shown["run"] == store.failed
    assert shown["status"] == "failed"
    assert shown["error"] == "ValueError: diverged"
    assert shown["lr"] == "10.0"


def test_a_sweep_is_shown_with_the_number_of_its_runs(store: Store) -> None:
    (sweep,) = (run["run_id"] for run in json.loads(_run(store, "--json").output) if run["name"] == "rates")
    assert "2: 1 finished, 1 failed" in _run(store, "show", sweep[:12]).output


def test_runs_stand_side_by_side_in_what_they_differ_in(store: Store) -> None:
    done = _run(store, "compare", store.good, store.failed)
    rows = {row[0]: row[1:] for row in _rows(done) if row}
    assert rows["lr"] == ["0.001", "10.0"]
    assert rows["loss"] == ["0.5", "-"]
    assert "batch" not in rows
    assert "1 parameters and metrics are the same" in done.output
    every = {row[0]: row[1:] for row in _rows(_run(store, "compare", "--all", store.good, store.failed)) if row}
    assert every["batch"] == ["64", "64"]


def test_an_empty_store_is_a_sentence_and_an_empty_list(store: Store) -> None:
    done = _run(store, "--experiment", "empty")
    assert (done.exit_code, done.output.count("\n")) == (0, 1)
    assert "Experiment 'empty'" in done.output
    assert "has no run yet" in done.output
    assert json.loads(_run(store, "--experiment", "empty", "--json").output) == []
    assert "has no run that meets this" in _run(store, "--task", "quantify").output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sort", "los"], "None of these runs has a metric 'los'. Did you mean 'loss'?"),
        (["--param", "rate"], "None of these runs has a parameter 'rate'."),
        (["--filter", "smaller"], "MLflow cannot search for 'smaller'"),
        (["--experiment", "emty"], "has no experiment 'emty'. Did you mean 'empty'?"),
        (["show", "nothing"], "has no run whose id begins with 'nothing'"),
        (["compare", "ab"], "1 runs are given; from 2 to 8 can be compared."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_there_is_told(store: Store, arguments: list[str], sentence: str) -> None:
    done = _run(store, *arguments)
    assert done.exit_code == 1
    assert sentence in done.output
    assert done.output.startswith("error: ")


def test_a_store_that_does_not_exist_is_told_and_not_made(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(root, ["runs"])
    assert done.exit_code == 1
    assert "Nothing is tracked in" in done.output
    assert list(tmp_path.iterdir()) == []
