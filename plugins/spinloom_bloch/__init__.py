"""Bloch simulation of any Pulseq imaging sequence on a phantom, as a Spinloom plugin."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The exact simulator under the name `bloch`."""
    return {"bloch": "spinloom_bloch.simulator:BlochSimulator"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_bloch.conf"
