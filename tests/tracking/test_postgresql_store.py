"""A real PostgreSQL database as the store, which several processes use for the first time at once."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from spinloom import tracking
from spinloom.tracking import TrackingSettings

_REQUIRED = "postgresql" in os.environ.get("SPINLOOM_REQUIRE", "")


def _give_up(reason: str) -> None:
    """Skip the tests, or fail them where SPINLOOM_REQUIRE demands PostgreSQL."""
    if _REQUIRED:
        pytest.fail(f"SPINLOOM_REQUIRE demands postgresql, but {reason}")
    pytest.skip(reason)


def _program(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    found = next((found for place in places if (found := shutil.which(name, path=str(place)))), shutil.which(name))
    if found is None:
        _give_up(f"PostgreSQL's program {name} is neither in PATH nor in /usr/lib/postgresql")
    return str(found)


def _unprivileged() -> str | None:
    """The user to run PostgreSQL as, which refuses root; None for the present user."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """URI of an empty database of a server of its own, on a socket in a temporary folder."""
    if find_spec("psycopg") is None:
        _give_up("its driver psycopg is not installed")
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    # A socket's path may have about a hundred characters, so the folder is not pytest's.
    place = Path(tempfile.mkdtemp(prefix="spinloom-pg-"))
    user = _unprivileged()
    if user is not None:
        shutil.chown(place, user)

    def control(*command: str) -> None:
        done = subprocess.run(command, user=user, cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    data, log = str(place / "data"), str(place / "log")
    options = f"-k {place} -c listen_addresses='' -c fsync=off"
    try:
        control(initdb, "-D", data, "-U", "spinloom", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        control(pg_ctl, "-D", data, "-l", log, "-w", "-o", options, "start")
        yield f"postgresql+psycopg://spinloom@/postgres?host={place}"
        control(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_eight_processes_that_use_a_database_first_lose_nothing(
    database: str,
    write_at_once: Callable[[str, int], None],
    lost_by_writers: Callable[[TrackingSettings, int], list[str]],
) -> None:
    write_at_once(database, 8)

    assert lost_by_writers(TrackingSettings(uri=database, experiment="at once"), 8) == []


def test_a_run_folder_is_logged_and_fetched(
    database: str, tmp_path: Path, run_folder: Callable[..., Path], runs_in: Callable[[TrackingSettings], list[Any]]
) -> None:
    settings = TrackingSettings(uri=database, experiment="folders", artifacts=str(tmp_path / "files"))

    with tracking.run(settings, task="simulate", name="aptw") as run:
        run.log_folder(run_folder(metrics={"mae": float("nan"), "worst": float("inf")}))

    (stored,) = runs_in(settings)
    assert stored.info.status == "FINISHED"
    assert stored.data.tags["nonfinite/worst"] == "inf at step 0"
    fetched = tracking.download_run(str(run.run_id), settings, tmp_path / "into")
    assert (fetched / "figures" / "zspectrum.png").read_bytes() == b"picture"
