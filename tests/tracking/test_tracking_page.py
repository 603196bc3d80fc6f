"""`spinloom ui`: the page answers, serves as a store, is frugal, ends cleanly, and says why where it cannot start."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spinloom import tracking
from spinloom.cli import root
from spinloom.tracking import TrackingSettings
from spinloom.tracking.opening import open_client

Page = tuple[subprocess.Popen[str], str]


def _get(address: str, body: dict[str, Any] | None = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        return str(answer.read().decode())


def _family(pid: int) -> list[int]:
    """A process and all that it started, by the kernel's list of children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts processes as Linux lists them")
def test_the_page_shows_runs_from_few_processes_and_ends_cleanly(
    page: Page, free_port: int, settings: TrackingSettings
) -> None:
    process, said = page
    address = f"http://127.0.0.1:{free_port}"
    with tracking.run(settings, task="simulate", name="shown on the page") as run:
        pass

    assert said == f"Tracked runs: {address}  (Ctrl-C ends it)\n"
    assert _get(f"{address}/health") == "OK"
    assert "<title>MLflow</title>" in _get(address)
    experiments = [open_client(settings)[1]]
    found = json.loads(_get(f"{address}/api/2.0/mlflow/runs/search", {"experiment_ids": experiments}))
    assert [shown["info"]["run_id"] for shown in found["runs"]] == [run.run_id]
    # `spinloom ui`, MLflow's command that it starts, and the one web server that MLflow's command starts.
    family = _family(process.pid)
    assert len(family) <= 3

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=30) == 0
    assert not [pid for pid in family if _is_alive(pid)]


def test_the_page_is_a_server_that_takes_runs(
    page: Page,
    free_port: int,
    run_folder: Callable[..., Path],
    request: pytest.FixtureRequest,
    files_of: Callable[[TrackingSettings, str], dict[str, bytes]],
) -> None:
    settings = TrackingSettings(uri=f"http://127.0.0.1:{free_port}", experiment=request.node.nodeid)
    # Long texts of characters that JSON writes with six bytes each: sent at once they would exceed what MLflow takes.
    folder = run_folder(params={f"note {index}": "ü" * 6000 for index in range(150)}, tags={"long": "ü" * 9000})

    with tracking.run(settings, task="simulate", name="over HTTP", directions={"loss": "min"}) as run:
        for epoch in range(1100):
            run.log_metrics({"loss": float(epoch)}, epoch)
        run.log_folder(folder)

    client, _ = open_client(settings)
    stored = client.get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert len(stored.data.params) == 152
    assert {len(text) for name, text in stored.data.params.items() if name.startswith("note")} == {6000}
    assert stored.data.metrics["best/loss"] == 0.0
    assert files_of(settings, str(run.run_id))["tags/long.txt"].decode() == "ü" * 9000


def test_a_port_that_is_taken_is_answered_with_a_free_one(shared_store: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = CliRunner().invoke(root, ["ui", "--uri", shared_store, "--port", str(port)])

    assert said.exit_code == 1
    start, _, free = said.output.strip().removesuffix("`.").rpartition(" ")
    assert start == f"error: Port {port} of 127.0.0.1 cannot be used: Address already in use. Take a free one: " + (
        "`spinloom ui --port"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", int(free)))


def test_an_address_of_another_machine_is_refused(shared_store: str, free_port: int) -> None:
    options = ["--uri", shared_store, "--port", str(free_port), "--host", "192.0.2.1"]

    said = CliRunner().invoke(root, ["ui", *options])

    assert said.output == "error: --host is '192.0.2.1', which is no address of this machine; try 127.0.0.1.\n"


def test_where_nothing_is_tracked_there_is_no_page_and_no_new_database(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "spinloom", "ui"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert said.returncode == 1
    assert f"Nothing is tracked in {tmp_path}/mlruns/spinloom.db yet; run `spinloom simulate` first" in said.stderr
    assert not [*tmp_path.iterdir()]


def test_a_database_that_is_none_does_not_start_and_mlflow_says_why(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "runs.db").write_text("not a database, but long enough to be looked at " * 100)

    said = CliRunner().invoke(root, ["ui", "--uri", f"sqlite:///{tmp_path}/runs.db", "--port", str(free_port)])

    assert said.exit_code == 1
    assert f"The page of http://127.0.0.1:{free_port} does not start" in said.output
    assert "file is not a database" in said.output


def test_the_page_of_a_database_server_that_is_down_does_not_start(free_port: int) -> None:
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    uri = f"postgresql+psycopg://me@127.0.0.1:{free_port}/runs"

    said = CliRunner().invoke(root, ["ui", "--uri", uri, "--port", str(free_port)])

    assert said.output.startswith(f"error: The tracking store {uri} cannot be used: ")
    assert "onnection refused" in said.output


def test_the_page_of_a_server_is_its_own() -> None:
    said = CliRunner().invoke(root, ["ui", "--uri", "http://me:secret@host:5000"])

    assert said.output == "Tracked runs: http://me:***@host:5000\n"
