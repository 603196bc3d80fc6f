"""Tracking: the one door to MLflow, which is imported only when a run is really tracked."""

from __future__ import annotations

from spinloom.tracking.blocks import run, sweep
from spinloom.tracking.download import download_run
from spinloom.tracking.finished import log_run_folder, logged_run, run_settings
from spinloom.tracking.folder import RUN_FILE
from spinloom.tracking.listing import Order, find_children, find_run, find_runs
from spinloom.tracking.runs import PrunedError, Run
from spinloom.tracking.server import serve
from spinloom.tracking.settings import TrackingSettings, ui_command
from spinloom.tracking.tracked_run import TrackedRun

__all__ = [
    "RUN_FILE",
    "Order",
    "PrunedError",
    "Run",
    "TrackedRun",
    "TrackingSettings",
    "download_run",
    "find_children",
    "find_run",
    "find_runs",
    "log_run_folder",
    "logged_run",
    "run",
    "run_settings",
    "serve",
    "sweep",
    "ui_command",
]
