"""A network that plays a saturation protocol of any length step by step (Nagar et al. 2023), as a Spinloom plugin."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_surrogates() -> dict[str, str]:
    """The network under the name `dynamic_mlp`."""
    return {"dynamic_mlp": "spinloom_dynamic_mlp.surrogate:DynamicMlp"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the network, and its experiments."""
    return "pkg://spinloom_dynamic_mlp.conf"
