"""The lines that a Lorentzian fit knows by name: where each begins, and the range that it may move in.

The ranges are wide ones around what is seen in the brain at 3 T and weak saturation.  Elsewhere, give pools of your
own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Where a parameter begins, and its bounds; it stays where both are the same."""

    start: float
    low: float
    high: float


@dataclass(frozen=True)
class LorentzianPool:
    """One line: its amplitude as a share of M0, full width at half depth, and shift from water (of water from 0)."""

    name: str
    amplitude: Range
    width_ppm: Range
    shift_ppm: Range


AT_M0 = Range(1.0, 1.0, 1.0)
"""Baseline of a spectrum that was divided by its M0."""

FREE_BASELINE = Range(1.0, 0.5, 1.2)
"""Baseline of a spectrum whose M0 is unsure; offsets must reach far beyond the MT line to tell the two apart."""

POOLS = {
    pool.name: pool
    for pool in (
        LorentzianPool("water", Range(0.8, 0.02, 1.2), Range(1.5, 0.2, 10.0), Range(0.0, -1.5, 1.5)),
        LorentzianPool("amide", Range(0.03, 0.0, 0.5), Range(1.0, 0.3, 4.0), Range(3.5, 3.0, 4.0)),
        LorentzianPool("amine", Range(0.02, 0.0, 0.5), Range(1.5, 0.3, 5.0), Range(2.7, 2.3, 3.0)),
        LorentzianPool("guanidine", Range(0.02, 0.0, 0.5), Range(1.0, 0.3, 4.0), Range(2.0, 1.6, 2.3)),
        LorentzianPool("hydroxyl", Range(0.02, 0.0, 0.5), Range(1.0, 0.3, 4.0), Range(1.0, 0.6, 1.4)),
        LorentzianPool("noe", Range(0.03, 0.0, 0.5), Range(3.0, 1.0, 8.0), Range(-3.5, -4.5, -2.5)),
        LorentzianPool("noe_near", Range(0.02, 0.0, 0.5), Range(1.0, 0.3, 4.0), Range(-1.6, -2.2, -1.2)),
        LorentzianPool("mt", Range(0.1, 0.0, 1.0), Range(25.0, 10.0, 100.0), Range(-2.0, -4.0, 1.0)),
    )
}
