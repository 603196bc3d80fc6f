"""Pulsed saturation of exchanging pools at many offsets, read by a marker."""

from __future__ import annotations

from spinloom.sequences.cest_train.family import cest_train

__all__ = ["cest_train"]
