"""Multiple overlapping-echo detachment: its family of sequences and its simulator."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """The family under the name `moled`."""
    return {"moled": "spinloom.sequences.moled:moled"}


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The exact simulator under the name `moled`."""
    return {"moled": "spinloom_moled.simulator:MoledSimulator"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_moled.conf"
