"""A store that the tests share (making one takes seconds), a run folder, a page, and processes that write at once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spinloom.tracking import TrackingSettings
from spinloom.tracking.opening import open_client

WRITERS = """
import os, sys, traceback
from mlflow.store.tracking import sqlalchemy_store  # slow; the writers, copies of this process, need not repeat it
from spinloom import tracking

uri, experiment, artifacts, number = sys.argv[1:]

def write(writer):
    settings = tracking.TrackingSettings(uri=uri, experiment=experiment, artifacts=artifacts)
    with tracking.run(settings, task="train", name=f"writer {writer}") as run:
        run.log_params({"writer": writer})
        for epoch in range(60):  # 600 values, more than are kept for one request
            run.log_metrics({f"loss {number}": number / (1 + epoch) for number in range(10)}, epoch)
    assert run.run_id is not None

ready, go = os.pipe()
writers = []
for writer in range(int(number)):
    process = os.fork()
    if process == 0:
        try:
            os.close(go)
            os.read(ready, 1)  # returns when the last copy of `go` is closed
            write(writer)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    writers.append(process)
os.close(go)
sys.exit(max(os.waitpid(process, 0)[1] for process in writers) != 0)
"""
"""Forks processes that open one store and write to it at the same moment."""


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of an SQLite store that exists."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store') / 'runs.db'}"
    open_client(TrackingSettings(uri=uri))
    return uri


@pytest.fixture
def settings(shared_store: str, request: pytest.FixtureRequest) -> TrackingSettings:
    """An experiment of the test's own in the shared store."""
    return TrackingSettings(uri=shared_store, experiment=request.node.nodeid)


@pytest.fixture
def runs_in() -> Callable[[TrackingSettings], list[Any]]:
    """Reads the runs of an experiment, latest first, as MLflow gives them."""

    def read(settings: TrackingSettings) -> list[Any]:
        client, experiment = open_client(settings)
        return [client.get_run(run.info.run_id) for run in client.search_runs([experiment])]

    return read


@pytest.fixture
def lost_by_writers() -> Callable[[TrackingSettings, int], list[str]]:
    """Names what is missing or wrong in what `number` writers logged at once; every value counts."""

    def check(settings: TrackingSettings, number: int) -> list[str]:
        client, experiment = open_client(settings)
        runs = {run.info.run_name: run for run in client.search_runs([experiment])}
        lost = [] if len(runs) == number else [f"{len(runs)} runs of {number}"]
        for writer in range(number):
            run = runs.get(f"writer {writer}")
            if run is None or (run.info.status, run.data.params) != ("FINISHED", {"writer": str(writer)}):
                lost.append(f"run of writer {writer}")
                continue
            for metric in range(10):
                points = client.get_metric_history(run.info.run_id, f"loss {metric}")
                right = {(epoch, metric / (1 + epoch)) for epoch in range(60)}
                if len(points) != 60 or {(point.step, point.value) for point in points} != right:
                    lost.append(f"loss {metric} of writer {writer}")
        return lost

    return check


@pytest.fixture
def files_of(tmp_path: Path) -> Callable[[TrackingSettings, str], dict[str, bytes]]:
    """Reads the files of a run, as MLflow gives them."""

    def read(settings: TrackingSettings, run_id: str) -> dict[str, bytes]:
        folder = tmp_path / f"files of {run_id}"
        folder.mkdir()
        open_client(settings)[0].download_artifacts(run_id, "", str(folder))
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }

    return read


@pytest.fixture
def run_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes what a task leaves behind; keywords replace parts of `run.json`."""

    def write(name: str = "out", **changes: Any) -> Path:
        folder = tmp_path / name
        (folder / "figures").mkdir(parents=True)
        (folder / "figures" / "zspectrum.png").write_bytes(b"picture")
        (folder / "sequence.seq").write_text("[VERSION]\n")
        (folder / "config.yaml").write_text("sequence: aptw\ntracking:\n  enabled: false\n  experiment: meant\n")
        record = {
            "task": "simulate",
            "name": "aptw on white matter",
            "spinloom": "0.1.0",
            "command": ["spinloom", "simulate", "sequence=aptw"],
            "started": "2026-03-01T12:00:00+00:00",
            "params": {"sequence": "aptw", "simulator.dtype": "float64"},
            "metrics": {"mtr_asymmetry_max": 0.031},
            "tags": {"study": "phantoms"},
            "timings": {"simulate": 1.25},
            "seed": 7,
            "device": "cpu",
            "sequence": {"name": "aptw.seq", "sha256": "ab12"},
            "versions": {"torch": "2.6.0"},
            "git": {"revision": "c0ffee", "changed": True},
            "run_id": None,
            "output": str(folder),
        }
        (folder / "run.json").write_text(json.dumps(record | changes))
        return folder

    return write


@pytest.fixture
def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _page(store: str, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "spinloom", "ui", "--uri", store, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def page(shared_store: str, free_port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`spinloom ui` on the shared store, running: its process and the line that it printed first."""
    with _page(shared_store, free_port) as started:
        yield started


@pytest.fixture
def write_at_once(tmp_path: Path) -> Callable[[str, int], None]:
    """Lets several processes open one store and write to it at the same moment."""

    def write(uri: str, number: int) -> None:
        command = [sys.executable, "-c", WRITERS, uri, "at once", str(tmp_path / "files"), str(number)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    return write
