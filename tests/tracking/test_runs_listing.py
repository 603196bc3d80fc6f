"""Runs are found, sorted and set side by side as they were logged, sweeps as trees, and nothing is made by looking."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spinloom import tracking
from spinloom.errors import ConfigurationError, TrackingError
from spinloom.tasks.runs import compare_runs, list_runs, plain_run
from spinloom.tracking import Order, TrackingSettings, find_children, find_run
from spinloom.tracking.opening import open_client

KILLED = """
import os, signal, sys
from spinloom import tracking
with tracking.run(tracking.TrackingSettings(uri=sys.argv[1], experiment=sys.argv[2]), task="train", name="gone"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _log(
    settings: TrackingSettings, name: str, task: str = "train", parent: str | None = None, **metrics: float
) -> str:
    with tracking.run(settings, task=task, name=name, parent=parent) as run:
        run.log_params({"name": name, "batch": 64})
        run.log_metrics(metrics)
    return str(run.run_id)


def _names(settings: TrackingSettings, **choice) -> list[str]:
    return ["  " * item.depth + item.run.name for item in list_runs(settings, **{"limit": 20, **choice})]


def test_the_latest_runs_come_first_and_no_more_than_asked_for(settings: TrackingSettings) -> None:
    for name in ("first", "second", "third"):
        _log(settings, name)
    assert _names(settings) == ["third", "second", "first"]
    assert _names(settings, limit=2) == ["third", "second"]


def test_runs_are_sorted_by_a_metric_with_nan_and_missing_last(settings: TrackingSettings) -> None:
    for name, metrics in {"none": {}, "nan": {"loss": float("nan")}, "two": {"loss": 2}, "one": {"loss": 1}}.items():
        _log(settings, name, **metrics)
    assert _names(settings, order=Order("loss", descending=False)) == ["one", "two", "nan", "none"]
    assert _names(settings, order=Order("loss", descending=True)) == ["two", "one", "nan", "none"]
    with pytest.raises(ConfigurationError, match=r"has a metric 'los'. Did you mean 'loss'"):
        _names(settings, order=Order("los"))


def test_runs_are_chosen_by_task_and_by_a_condition(settings: TrackingSettings) -> None:
    _log(settings, "good", loss=0.1)
    _log(settings, "bad", loss=0.9)
    _log(settings, "other", task="simulate", loss=0.1)
    assert _names(settings, task="train") == ["bad", "good"]
    assert _names(settings, task="train", condition="metrics.loss < 0.5") == ["good"]
    assert _names(settings, condition="params.batch = '65'") == []
    with pytest.raises(ConfigurationError, match="cannot search for 'loss is small'"):
        _names(settings, condition="loss is small")
    with pytest.raises(ConfigurationError, match="no task's name"):
        _names(settings, task="train' or '")


def test_the_runs_of_a_sweep_stand_beneath_it_wherever_the_first_of_them_would(settings: TrackingSettings) -> None:
    with tracking.sweep(settings, task="train", name="sweep") as sweep:
        for number in range(3):
            _log(settings, f"child {number}", parent=sweep.run_id, loss=3 - number)
    _log(settings, "alone", loss=1.5)
    assert _names(settings) == ["alone", "sweep", "  child 2", "  child 1", "  child 0"]
    by_loss = ["sweep", "  child 2", "  child 1", "  child 0", "alone"]
    assert _names(settings, order=Order("loss", descending=False)) == by_loss
    # The sweep began first, so that a short list of the latest would not reach it.
    assert _names(settings, limit=3) == ["alone", "sweep", "  child 2", "  child 1"]
    assert [run.name for run in find_children(settings, str(sweep.run_id))] == ["child 0", "child 1", "child 2"]


def test_a_run_that_names_itself_as_its_sweep_is_listed_once(settings: TrackingSettings) -> None:
    run_id = _log(settings, "serpent")
    open_client(settings)[0].set_tag(run_id, "mlflow.parentRunId", run_id)
    assert _names(settings) == ["serpent"]


def test_runs_are_listed_by_what_became_of_them(settings: TrackingSettings) -> None:
    with pytest.raises(ValueError, match="broken"), tracking.run(settings, task="train", name="raises"):
        raise ValueError("broken")
    command = [sys.executable, "-c", KILLED, settings.store_uri, settings.experiment]
    subprocess.run(command, check=False, timeout=60)
    with tracking.run(settings, task="train", name="runs"):
        statuses = {item.run.name: item.run.status for item in list_runs(settings, limit=20)}
        (running,) = (item.run for item in list_runs(settings, limit=20) if item.run.name == "runs")
        assert running.seconds is not None
        assert running.ended is None
    assert statuses == {"raises": "failed", "gone": "killed", "runs": "running"}


def test_a_process_that_is_gone_counts_as_killed_before_it_is_marked_so(settings: TrackingSettings) -> None:
    command = [sys.executable, "-c", KILLED, settings.store_uri, settings.experiment]
    subprocess.run(command, check=False, timeout=60)
    (item,) = list_runs(settings, limit=20)
    assert item.run.status == "killed"
    assert item.run.seconds is None
    assert open_client(settings)[0].get_run(item.run.run_id).info.status == "RUNNING"


def test_a_run_is_found_by_the_beginning_of_its_id(settings: TrackingSettings) -> None:
    run_id = _log(settings, "wanted", loss=1)
    assert find_run(settings, run_id).name == find_run(settings, run_id[:12]).name == "wanted"
    for wrong in ("zzzz", "%", "a' or '1' = '1", ""):
        with pytest.raises(TrackingError, match="has no run whose id begins with"):
            find_run(settings, wrong)


def test_a_beginning_that_several_ids_share_names_them(settings: TrackingSettings) -> None:
    ids = [_log(settings, f"run {number}") for number in range(17)]
    first = next(a[0] for a in ids if sum(b[0] == a[0] for b in ids) > 1)  # 17 ids, 16 digits to begin with
    with pytest.raises(TrackingError, match=f"Several runs have an id that begins with '{first}'"):
        find_run(settings, first)


def test_a_comparison_knows_what_differs(settings: TrackingSettings) -> None:
    nan = float("nan")
    one = _log(settings, "one", loss=1, gap=nan)
    two = _log(settings, "two", loss=2, gap=nan, extra=3)
    runs, rows = compare_runs(settings, [one, two[:12]])
    assert [run.name for run in runs] == ["one", "two"]
    assert {row.name: row.values for row in rows if row.differs} == {
        "name": ("one", "two"),
        "loss": (1, 2),
        "extra": (None, 3),
    }
    assert {row.name for row in rows if not row.differs} == {"batch", "gap"}
    with pytest.raises(ConfigurationError, match="1 runs are given"):
        compare_runs(settings, [one])


def test_a_run_in_json_has_its_values_and_no_nan(settings: TrackingSettings) -> None:
    plain = plain_run(find_run(settings, _log(settings, "plain", loss=0.5, gap=float("nan"))))
    assert plain["params"] == {"batch": "64", "name": "plain"}
    assert plain["metrics"] == {"gap": None, "loss": 0.5}
    assert plain["status"] == "finished"
    assert plain["started"].endswith("+00:00")


def test_looking_makes_neither_store_nor_experiment(shared_store: str, tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"Nothing is tracked in .*none.db yet"):
        list_runs(TrackingSettings(uri=f"sqlite:///{tmp_path / 'none.db'}"), limit=20)
    assert list(tmp_path.iterdir()) == []
    before = {found.name for found in open_client(TrackingSettings(uri=shared_store))[0].search_experiments()}
    with pytest.raises(TrackingError, match=r"has no experiment 'spinlom'. Did you mean 'spinloom'"):
        list_runs(TrackingSettings(uri=shared_store, experiment="spinlom"), limit=20)
    after = {found.name for found in open_client(TrackingSettings(uri=shared_store))[0].search_experiments()}
    assert after == before
