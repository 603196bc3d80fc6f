"""Saturation and image from one file: CEST-weighted imaging, its family of sequences and its simulator."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The exact simulator under the name `cest_epi`."""
    return {"cest_epi": "spinloom_cest_epi.simulator:CestEpiSimulator"}


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """The family under the name `cest_epi`."""
    return {"cest_epi": "spinloom.sequences.cest_epi:cest_epi"}


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator."""
    return "pkg://spinloom_cest_epi.conf"
