"""Images by balanced SSFP, with their bands: a family of sequences and a simulator, as a Spinloom plugin."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.1"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The class behind the name `bssfp_bands`."""
    return {"bssfp_bands": "spinloom_bssfp_bands.simulator:BssfpBandsSimulator"}


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """The function behind the name `bssfp_bands`."""
    return {"bssfp_bands": "spinloom_bssfp_bands.family:bssfp_bands"}


@hookimpl
def spinloom_search_path() -> str:
    """Where `simulator=bssfp_bands` finds its configuration."""
    return "pkg://spinloom_bssfp_bands.conf"
