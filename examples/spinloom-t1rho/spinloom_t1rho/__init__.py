"""The family of sequences `t1rho`, as a Spinloom plugin; importing this module imports nothing heavy."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.1"


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """The function behind the name `t1rho`."""
    return {"t1rho": "spinloom_t1rho.family:t1rho"}
