"""The local database: made once although many want it first, in any folder, in WAL mode; and files that are none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from spinloom import tracking
from spinloom.errors import TrackingError
from spinloom.tracking import TrackingSettings
from spinloom.tracking.opening import open_client


def test_eight_processes_that_make_a_store_at_once_lose_nothing(
    tmp_path: Path,
    write_at_once: Callable[[str, int], None],
    lost_by_writers: Callable[[TrackingSettings, int], list[str]],
) -> None:
    uri = f"sqlite:///{tmp_path / 'fresh' / 'runs.db'}"

    write_at_once(uri, 8)

    assert lost_by_writers(TrackingSettings(uri=uri, experiment="at once"), 8) == []
    client, _ = open_client(TrackingSettings(uri=uri))
    assert sorted(e.name for e in client.search_experiments()) == ["Default", "at once", "spinloom"]


def test_the_default_store_works_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_folder: Callable[..., Path]
) -> None:
    place = tmp_path / "my runs #1, 100% done, Überblick"
    place.mkdir()
    monkeypatch.chdir(place)

    with tracking.run(TrackingSettings(), task="simulate", name="one") as run:
        run.log_folder(run_folder())

    assert (place / "mlruns" / "spinloom.db").is_file()
    assert (place / "mlruns" / "artifacts" / str(run.run_id) / "artifacts" / "figures" / "zspectrum.png").is_file()
    with sqlite3.connect(place / "mlruns" / "spinloom.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sorted(path.name for path in place.iterdir()) == ["mlruns"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("not a database, but long enough to be looked at " * 100)

    with pytest.raises(TrackingError, match=r"sqlite:///.*runs\.db cannot be used: file is not a database"):
        open_client(TrackingSettings(uri=f"sqlite:///{tmp_path / 'runs.db'}"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file where a folder should be")

    with pytest.raises(TrackingError, match=r"occupied/runs\.db cannot be used: (File exists|Not a directory)"):
        open_client(TrackingSettings(uri=f"sqlite:///{tmp_path / 'occupied' / 'runs.db'}"))


def test_a_database_of_an_unknown_kind_is_named() -> None:
    with pytest.raises(TrackingError, match=r"oracel://host/runs cannot be used: .*oracel"):
        open_client(TrackingSettings(uri="oracel://host/runs"))
