"""A store that is down: noticed soon, the work goes on, the results are kept, and the way to log them works."""

from __future__ import annotations

import logging
import re
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spinloom import tracking
from spinloom.cli import root
from spinloom.errors import TrackingError
from spinloom.tracking import TrackingSettings


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_the_work_goes_on_and_its_results_can_be_logged_later(
    free_port: int,
    settings: TrackingSettings,
    run_folder: Callable[..., Path],
    runs_in: Callable[[TrackingSettings], list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    down = TrackingSettings(uri=f"http://127.0.0.1:{free_port}")
    folder = run_folder()
    began = time.monotonic()

    def work() -> None:
        with tracking.run(down, task="simulate", name="one") as run:
            assert run.run_id is None
            run.log_metrics({"loss": 1.0})
            run.log_folder(folder)

    with pytest.raises(TrackingError) as caught:
        work()

    assert time.monotonic() - began < 10
    warning = f"The tracking store http://127.0.0.1:{free_port} cannot be used: Connection refused."
    assert caplog.record_tuples == [
        ("spinloom.tracking.runs", logging.WARNING, f"{warning} The run goes on, and its results will be kept.")
    ]
    line = re.search(r"are kept in .*; log them later with `spinloom (.*?)`", str(caught.value))
    assert line is not None
    elsewhere = ["--uri", str(settings.uri), "--experiment", settings.experiment]
    said = CliRunner().invoke(root, [*shlex.split(line[1]), *elsewhere], catch_exceptions=False)
    assert said.exit_code == 0
    assert runs_in(settings)[0].info.status == "FINISHED"


def test_a_store_that_comes_back_during_the_run_gets_all_of_it(
    tmp_path: Path, run_folder: Callable[..., Path], runs_in: Callable[[TrackingSettings], list[Any]]
) -> None:
    settings = TrackingSettings(uri=f"sqlite:///{tmp_path / 'disk' / 'runs.db'}")
    (tmp_path / "disk").write_text("not mounted yet")

    with tracking.run(settings, task="train", name="one") as run:
        assert run.run_id is None
        run.log_metrics({"loss": 1.0})
        (tmp_path / "disk").unlink()
        run.log_folder(run_folder())

    (stored,) = runs_in(settings)
    assert (stored.info.run_id, stored.info.status, stored.data.metrics["loss"]) == (run.run_id, "FINISHED", 1.0)


def test_a_server_that_never_answers_is_noticed(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(TrackingError, match=rf"http://127\.0\.0\.1:{silent_port} cannot be used: no answer in time"):
        tracking.logged_run(Path("anywhere"), TrackingSettings(uri=f"http://127.0.0.1:{silent_port}"))


def test_a_database_server_that_is_down_is_noticed(free_port: int, run_folder: Callable[..., Path]) -> None:
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    settings = TrackingSettings(uri=f"postgresql+psycopg://me:secret@127.0.0.1:{free_port}/runs")
    began = time.monotonic()

    with pytest.raises(TrackingError, match=r"//me:\*\*\*@127.* cannot be used: .*[Cc]onnection refused") as caught:
        tracking.log_run_folder(run_folder(), settings)

    assert time.monotonic() - began < 10
    assert "secret" not in str(caught.value)


def test_a_driver_that_is_missing_is_named_with_how_to_install_it() -> None:
    with pytest.raises(TrackingError, match=r"needs the driver 'MySQLdb'.*pip install 'spinloom\[postgresql\]'"):
        tracking.logged_run(Path("anywhere"), TrackingSettings(uri="mysql://me@127.0.0.1/runs"))
