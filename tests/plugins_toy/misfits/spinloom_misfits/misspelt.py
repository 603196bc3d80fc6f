"""Implements a hook that does not exist, for want of a letter."""

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulator() -> dict[str, str]:
    """Meant to be `spinloom_simulators`."""
    return {"misspelt": "spinloom_misfits.misspelt:Simulator"}
