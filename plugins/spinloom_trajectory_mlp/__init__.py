"""A network that gives a whole seven-pool Z-spectrum at once (Nagar et al. 2023), as a Spinloom plugin."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_surrogates() -> dict[str, str]:
    """The network under the name `trajectory_mlp`."""
    return {"trajectory_mlp": "spinloom_trajectory_mlp.surrogate:TrajectoryMlp"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the network, and its experiments."""
    return "pkg://spinloom_trajectory_mlp.conf"
