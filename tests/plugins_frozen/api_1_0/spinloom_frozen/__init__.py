"""A plugin as it was written for plugin API 1.0, every hook of it: frozen, to prove that it still runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinloom.hookspecs import hookimpl

if TYPE_CHECKING:
    from spinloom import RunInfo

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """A simulator."""
    return {"frozen": "spinloom_frozen.simulator:FrozenSimulator"}


@hookimpl
def spinloom_surrogates() -> dict[str, str]:
    """A network."""
    return {"frozen": "spinloom_frozen.surrogate:FrozenSurrogate"}


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """A family of sequences."""
    return {"frozen": "spinloom_frozen.family:frozen"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration."""
    return "pkg://spinloom_frozen.conf"


@hookimpl
def spinloom_run_started(run: RunInfo) -> None:
    """Remember that a run began."""
    print(f"frozen: {run.task} began")


@hookimpl
def spinloom_run_finished(run: RunInfo, status: str) -> None:
    """Leave a note in the run's folder."""
    (run.output / "frozen.txt").write_text(f"{run.task} {status}\n", encoding="utf-8")
