"""Fingerprints of saturation transfer: schedules of amplitude and offset, drawn at random or published."""

from __future__ import annotations

from spinloom.sequences.cest_fingerprint.family import cest_fingerprint
from spinloom.sequences.cest_fingerprint.schedules import cest_schedule

__all__ = ["cest_fingerprint", "cest_schedule"]
