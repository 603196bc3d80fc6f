"""Multiple overlapping-echo detachment: its family of sequences."""

from __future__ import annotations

from spinloom.hookspecs import hookimpl

SPINLOOM_API = "1.0"


@hookimpl
def spinloom_sequence_families() -> dict[str, str]:
    """The family under the name `moled`."""
    return {"moled": "spinloom.sequences.moled:moled"}
