"""Runs whose process is gone are closed as killed, but not those that it ended before it went."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from spinloom.tracking import TrackingSettings
from spinloom.tracking.process import PID, process_tags
from spinloom.tracking.store import Store


@pytest.fixture
def gone() -> Mapping[str, str]:
    """Tags of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return process_tags() | {PID: str(ended.pid)}


def test_a_run_that_its_process_left_running_is_closed_as_killed(
    settings: TrackingSettings, gone: Mapping[str, str], runs_in: Callable[[TrackingSettings], list[Any]]
) -> None:
    store = Store(settings)
    store.start("lost", gone)
    store.close_abandoned()
    (run,) = runs_in(settings)
    assert run.info.status == "KILLED"
    assert run.data.tags["spinloom.error"] == "its process was killed"


def test_a_run_that_ends_while_runs_are_looked_through_stays_finished(
    settings: TrackingSettings,
    gone: Mapping[str, str],
    runs_in: Callable[[TrackingSettings], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was listed as running; its process ends it, and itself, before it is looked for."""
    store = Store(settings)
    brief = store.start("brief", gone)

    def ends_first(tags: Mapping[str, str]) -> bool:
        store.end(brief, "FINISHED")
        return True

    monkeypatch.setattr("spinloom.tracking.store.is_abandoned", ends_first)
    store.close_abandoned()
    (run,) = runs_in(settings)
    assert run.info.status == "FINISHED"
    assert "spinloom.error" not in run.data.tags
