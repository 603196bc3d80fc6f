"""Trained networks in a simulator's place, as a Spinloom plugin."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The simulator that plays a trained network, under the name `surrogate`."""
    return {"surrogate": "spinloom_surrogate.simulator:SurrogateSimulator"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_surrogate.conf"
