"""Multiple overlapping-echo detachment: four excitations, one refocusing pulse, and one echo-planar train."""

from __future__ import annotations

from spinloom.sequences.moled.family import moled

__all__ = ["moled"]
