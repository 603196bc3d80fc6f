"""The page of tracked runs: MLflow's own server, started frugally and ended cleanly.

MLflow by itself starts four workers and a crew of job runners, a dozen processes and 3 GB; looking at runs needs one
worker.  What remains are three processes: this one, MLflow's, and the web server that MLflow starts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from spinloom.errors import TrackingError
from spinloom.tracking.opening import ENVIRONMENT, require_answer, require_file
from spinloom.tracking.ports import check_port
from spinloom.tracking.settings import TrackingSettings

_START_WAIT = 60
"""Longest wait for the server's first answer [s]."""

_END_WAIT = 10
"""Longest wait for the server to end by itself [s]."""


def serve(settings: TrackingSettings, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve the page of tracked runs until Ctrl-C, SIGTERM or the end of the terminal.

    announce: gets the address as soon as the page answers; at once where the store is a server, which has its own

    Raises `TrackingError` where nothing has been tracked yet, the port is taken, the database does not answer or the
    server does not start.
    """
    if settings.is_server:
        announce(settings.shown_uri)
        return
    if settings.database_file is None:
        require_answer(settings)
    require_file(settings)
    check_port(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with _ending_signals(), tempfile.TemporaryFile("w+") as output, _server(settings, host, port, output) as server:
        _await_answer(server, address, output)
        announce(address)
        server.wait()


@contextmanager
def _server(settings: TrackingSettings, host: str, port: int, output: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    """MLflow's server as a process group of its own, which is gone at the end of the block."""
    # The URI goes by the environment: it may hold a password, and a command line is for all to read.
    environment = {
        **ENVIRONMENT,
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": settings.store_uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": settings.artifact_uri or "",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", host, "--port", str(port)]
    command += ["--uvicorn-opts", "--log-level warning"]
    server = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )
    try:
        yield server
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(_END_WAIT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _await_answer(server: subprocess.Popen[bytes], address: str, output: IO[str]) -> None:
    give_up = time.monotonic() + _START_WAIT
    while server.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(urllib.error.URLError, OSError), _direct.open(f"{address}/health", timeout=1):
            return
        time.sleep(0.1)
    output.seek(0)
    last = "\n".join(output.read().strip().splitlines()[-5:])
    raise TrackingError(f"The page of {address} does not start; MLflow's last words:\n{last}")


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks our own machine, past any proxy."""


@contextmanager
def _ending_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that no server is left behind; all three end it well."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), signal.default_int_handler) for name in names}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
