"""Recovery of longitudinal magnetisation, as a Spinloom plugin of another distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinloom.hookspecs import hookimpl

if TYPE_CHECKING:
    from spinloom import RunInfo

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The simulator under the name `toy`."""
    return {"toy": "spinloom_toy.simulator:ToySimulator"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_toy.conf"


@hookimpl
def spinloom_run_finished(run: RunInfo, status: str) -> None:
    """Leave a note in the run's folder."""
    (run.output / "toy.txt").write_text(f"{run.task} {status}\n", encoding="utf-8")
