"""Tracking: the one door to MLflow, which is imported only when a run is really tracked."""

from __future__ import annotations

from spinloom.tracking.blocks import is_tracked, run, sweep
from spinloom.tracking.current import at_work, current_settings
from spinloom.tracking.download import download_run
from spinloom.tracking.finished import log_run_folder, logged_run, run_settings
from spinloom.tracking.folder import RUN_FILE
from spinloom.tracking.listing import Order, find_children, find_run, find_runs
from spinloom.tracking.models import check_model_name, fetch_model, is_reference, register_model, registered_models
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
    "at_work",
    "check_model_name",
    "current_settings",
    "download_run",
    "fetch_model",
    "find_children",
    "find_run",
    "find_runs",
    "is_reference",
    "is_tracked",
    "log_run_folder",
    "logged_run",
    "register_model",
    "registered_models",
    "run",
    "run_settings",
    "serve",
    "sweep",
    "ui_command",
]
