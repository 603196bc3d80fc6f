"""Registers a simulator under the name that the toy plugin has."""

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The second simulator `toy`."""
    return {"toy": "spinloom_misfits.twin:Simulator"}


@hookimpl
def spinloom_run_finished() -> None:
    """Never called, because a broken plugin observes nothing."""
    raise AssertionError("a broken plugin was told of a run")
