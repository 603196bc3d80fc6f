"""Which folders a task may write its results into."""

from __future__ import annotations

from pathlib import Path

from spinloom.errors import OutputError
from spinloom.tracking import RUN_FILE


def check_output(target: Path, overwrite: bool) -> None:
    """Refuse a `target` that holds something already, except the results of a run where `overwrite` is true."""
    if target.exists() and not target.is_dir():
        raise OutputError(f"output={target} is a file; name a folder.")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not (target / RUN_FILE).is_file():
        raise OutputError(f"output={target} holds files that no run of Spinloom wrote; name another folder.")
    if not overwrite:
        raise OutputError(f"output={target} holds the results of a run; name another folder or add overwrite=true.")
