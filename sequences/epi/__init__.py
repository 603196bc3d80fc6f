"""Gradient-echo echo-planar imaging: every line of k-space after one excitation."""

from __future__ import annotations

from spinloom.sequences.epi.family import epi

__all__ = ["epi"]
