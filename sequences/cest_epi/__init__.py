"""Saturation of exchanging pools before every shot of an echo-planar readout: both in one file."""

from __future__ import annotations

from spinloom.sequences.cest_epi.family import cest_epi

__all__ = ["cest_epi"]
