"""Fast spin echo: multi-shot trains of refocused echoes, each with its own line of k-space."""

from __future__ import annotations

from spinloom.sequences.fse.family import fse

__all__ = ["fse"]
