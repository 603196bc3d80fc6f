"""Semisolid magnetisation transfer: Bloch-McConnell simulation of offset and power series and of fingerprints."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The exact simulator under the name `mt`."""
    return {"mt": "spinloom_mt.simulator:MtSimulator"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_mt.conf"
