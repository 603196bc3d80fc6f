"""Fingerprints of saturation transfer: schedules of amplitude and offset, drawn at random."""

from __future__ import annotations

from spinloom.sequences.cest_fingerprint.family import cest_fingerprint

__all__ = ["cest_fingerprint"]
