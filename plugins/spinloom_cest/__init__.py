"""CEST: Bloch-McConnell simulation of saturation transfer, as a Spinloom plugin."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_simulators() -> dict[str, str]:
    """The exact simulator under the name `cest`."""
    return {"cest": "spinloom_cest.simulator:CestSimulator"}


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """Pulsed Z-spectra and continuous-wave fingerprints."""
    return {
        "cest_fingerprint": "spinloom.sequences.cest_fingerprint:cest_fingerprint",
        "cest_schedule": "spinloom.sequences.cest_fingerprint:cest_schedule",
        "cest_train": "spinloom.sequences.cest_train:cest_train",
    }


@hookimpl
def spinloom_search_path() -> str:
    """Configuration of the simulator and its experiments."""
    return "pkg://spinloom_cest.conf"
