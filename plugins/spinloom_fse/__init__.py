"""Fast spin echo: its family of sequences and its simulator."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """The family under the name `fse`."""
    return {"fse": "spinloom.sequences.fse:fse"}


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The exact simulator under the name `fse`."""
    return {"fse": "spinloom_fse.simulator:FseSimulator"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_fse.conf"
