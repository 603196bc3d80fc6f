"""A run in the store: what it says while it lives, how it ends, and how runs belong to a sweep."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spinloom import tracking
from spinloom.errors import TrackingError
from spinloom.tracking import TrackingSettings
from spinloom.tracking.opening import open_client

Reader = Callable[[TrackingSettings], list[Any]]

LIVING = """
import sys
from spinloom import tracking
from spinloom.errors import TrackingError

with tracking.run(tracking.TrackingSettings(uri=sys.argv[1], experiment=sys.argv[2]), task="train", name="living"):
    print("running", flush=True)
    sys.stdin.readline()
"""


def test_a_run_that_ends_well_is_finished_and_says_who_ran_it(settings: TrackingSettings, runs_in: Reader) -> None:
    with tracking.run(settings, task="simulate", name="one") as run:
        assert runs_in(settings)[0].info.status == "RUNNING"

    (stored,) = runs_in(settings)
    assert (stored.info.run_id, stored.info.run_name, stored.info.status) == (run.run_id, "one", "FINISHED")
    assert stored.data.tags["spinloom.task"] == "simulate"
    assert {"spinloom.host", "spinloom.pid", "spinloom.process_started"} <= set(stored.data.tags)


def test_all_values_of_every_epoch_arrive(settings: TrackingSettings) -> None:
    with tracking.run(settings, task="train", name="one", directions={"loss": "min"}) as run:
        for epoch in range(1200):
            run.log_metrics({"loss": abs(epoch - 700)}, epoch)

    client, _ = open_client(settings)
    history = client.get_metric_history(run.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(epoch, abs(epoch - 700)) for epoch in range(1200)]
    assert client.get_run(run.run_id).data.metrics == {"loss": 499.0, "best/loss": 0.0}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_metric_that_is_not_finite_is_stored_and_named(
    settings: TrackingSettings, runs_in: Reader, value: float
) -> None:
    with tracking.run(settings, task="train", name="one") as run:
        run.log_metrics({"loss": value}, 4)

    (stored,) = runs_in(settings)
    assert math.isnan(stored.data.metrics["loss"])
    assert stored.data.tags["nonfinite/loss"] == f"{value} at step 4"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ZeroDivisionError("the 12th pulse"), "FAILED"), (SystemExit(3), "FAILED"), (KeyboardInterrupt(), "KILLED")],
)
def test_a_run_that_raises_keeps_its_traceback_and_lets_the_error_pass(
    settings: TrackingSettings,
    runs_in: Reader,
    files_of: Callable[[TrackingSettings, str], dict[str, bytes]],
    error: BaseException,
    status: str,
) -> None:
    def work() -> None:
        with tracking.run(settings, task="train", name="one") as run:
            run.log_metrics({"loss": 2.0}, 0)
            raise error

    with pytest.raises(type(error)) as caught:
        work()

    (stored,) = runs_in(settings)
    assert caught.value is error
    assert stored.info.status == status
    assert stored.data.metrics == {"loss": 2.0}
    assert stored.data.tags["spinloom.error"] == f"{type(error).__name__}: {error}".removesuffix(": ")
    text = files_of(settings, stored.info.run_id)["traceback.txt"].decode()
    assert text.rstrip().endswith(stored.data.tags["spinloom.error"])
    assert Path(__file__).name in text


def test_a_killed_run_is_marked_at_the_next_start_and_a_living_one_is_not(
    settings: TrackingSettings, runs_in: Reader
) -> None:
    command = [sys.executable, "-c", LIVING, settings.store_uri, settings.experiment]
    killed, living = (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    assert [process.stdout.readline() for process in (killed, living)] == ["running\n"] * 2
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    assert [run.info.status for run in runs_in(settings)] == ["RUNNING", "RUNNING"]

    with tracking.run(settings, task="simulate", name="next"):
        statuses = {run.data.tags["spinloom.pid"]: run.info.status for run in runs_in(settings)}

    assert statuses[str(killed.pid)] == "KILLED"
    assert statuses[str(living.pid)] == "RUNNING"
    living.communicate("end\n", timeout=30)
    assert sorted(run.info.status for run in runs_in(settings)) == ["FINISHED", "FINISHED", "KILLED"]


def test_the_runs_of_a_sweep_are_children_of_one_run(settings: TrackingSettings, runs_in: Reader) -> None:
    with tracking.sweep(settings, task="simulate", name="all B1") as parent:
        for name in ("1 uT", "2 uT"):
            with tracking.run(settings, task="simulate", name=name, parent=parent.run_id):
                pass

    parents = {run.info.run_name: run.data.tags.get("mlflow.parentRunId") for run in runs_in(settings)}
    assert parents == {"all B1": None, "1 uT": parent.run_id, "2 uT": parent.run_id}
    assert {run.info.status for run in runs_in(settings)} == {"FINISHED"}


def test_a_sweep_has_failed_if_one_of_its_runs_has(settings: TrackingSettings, runs_in: Reader) -> None:
    with (
        tracking.sweep(settings, task="simulate", name="all B1") as parent,
        pytest.raises(ZeroDivisionError),
        tracking.run(settings, task="simulate", name="1 uT", parent=parent.run_id),
    ):
        raise ZeroDivisionError

    assert {run.info.run_name: run.info.status for run in runs_in(settings)} == {"all B1": "FAILED", "1 uT": "FAILED"}


def test_two_runs_at_once_in_one_process_stay_apart(settings: TrackingSettings, runs_in: Reader) -> None:
    with (
        tracking.run(settings, task="train", name="first") as first,
        tracking.run(settings, task="train", name="second") as second,
    ):
        first.log_metrics({"loss": 1.0})
        second.log_metrics({"loss": 2.0})

    assert {run.info.run_name: run.data.metrics["loss"] for run in runs_in(settings)} == {"first": 1.0, "second": 2.0}


def test_with_tracking_off_the_work_goes_on_and_mlflow_is_not_imported(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from spinloom import tracking
from spinloom.errors import TrackingError

with tracking.run(tracking.TrackingSettings(enabled=False), task="simulate", name="one") as run:
    run.log_metrics({"loss": 1.0})
    run.log_folder(Path("anywhere"))
print(run.run_id, [name for name in ("mlflow", "sqlalchemy", "torch") if name in sys.modules])
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ended.stdout == "None []\n"
    assert not [*tmp_path.iterdir()]


def test_an_experiment_that_was_deleted_is_named_with_a_way_out(settings: TrackingSettings, tmp_path: Path) -> None:
    client, experiment = open_client(settings)
    client.delete_experiment(experiment)

    with pytest.raises(TrackingError, match=r"is deleted; name another with tracking\.experiment=NAME"):
        open_client(settings)
    with tracking.run(replace(settings, experiment="another one"), task="simulate", name="one") as run:
        assert run.run_id is not None
