"""The family `cest_schedule`: the schedules of Nagar et al. 2023 (https://doi.org/10.1038/s41598-023-45548-8).

Amplitudes and offsets are those of the paper, but for iohexol, whose ten amplitudes were not published: here they are
drawn between 0 and 6 uT like those of amine.  How a point is played is said in `timing.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pypulseq as pp

from spinloom.sequence.design import nearest_us
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.parameter import Meaning
from spinloom.sequences.cest_fingerprint.family import FieldT, RecoveryMs, SaturationMs, WholeTurns
from spinloom.sequences.cest_fingerprint.timing import Timing, play

Name = Literal["larginine", "semisolid_mt", "rnoe", "amine", "amide", "iohexol"]

AMPLITUDES_UT = {
    "larginine": (
        *(5, 5, 3, 3.75, 2.5, 1.75, 5.5, 6, 3.75, 5.75, 0.25, 3, 6, 4.5, 3.75),
        *(3.5, 3.5, 0, 3.75, 6, 3.75, 4.75, 4.5, 4.25, 3.25, 5.25, 5.25, 0.25, 4.5, 5.25),
    ),
    "semisolid_mt": (
        *(2, 2, 1.7, 1.5, 1.2, 1.2, 3, 0.5, 3, 1, 2.2, 3.2, 1.5, 0.7, 1.5),
        *(2.2, 2.5, 1.2, 3, 0.2, 1.5, 2.5, 0.7, 4, 3.2, 3.5, 1.5, 2.7, 0.7, 0.5),
    ),
    "rnoe": (4.00, 2.54, 0.82, 0.81, 4.00, 2.48, 2.45, 2.48, 0, 0.81),
    "amine": (2.79, 4.08, 6.00, 0, 1.76, 1.43, 4.04, 0, 4.02, 1.37),
    "amide": (4.00, 0.55, 1.60, 1.54, 0.57, 0.56, 1.54, 1.47, 1.57, 0),
    "iohexol": (3.05, 5.52, 1.24, 0, 4.37, 2.11, 5.98, 0.68, 3.71, 1.83),
}
"""Amplitude of the saturation at each point [uT]."""

OFFSETS_PPM = {
    "larginine": (3.0,),
    "semisolid_mt": (
        *(8, 6, 6, 10, 10, 10, 8, 6, 8, 14, 14, 10, 6, 10, 8),
        *(6, 8, 10, 14, 14, 6, 8, 14, 6, 14, 14, 14, 8, 10, 8),
    ),
    "rnoe": (-3.5,),
    "amine": (2.75,),
    "amide": (3.5,),
    "iohexol": (4.3,),
}
"""Offset of the saturation at each point, or the one of all [ppm]."""


def cest_schedule(
    *,
    schedule: Annotated[Name, Meaning("which schedule")] = "larginine",
    saturation_ms: SaturationMs = 2500.0,
    recovery_ms: RecoveryMs = 1020.0,
    flip_deg: may_be.FlipDeg = 90.0,
    field_t: FieldT = 9.4,
    whole_turns: WholeTurns = False,
) -> pp.Sequence:
    """A published fingerprint of continuous-wave saturation: one marker a point."""
    amplitudes, offsets = AMPLITUDES_UT[schedule], OFFSETS_PPM[schedule]
    timing = Timing(nearest_us(saturation_ms), nearest_us(recovery_ms), flip_deg, field_t, whole_turns)
    offsets = offsets * len(amplitudes) if len(offsets) == 1 else offsets
    return play("cest_schedule", [float(b1) for b1 in amplitudes], [float(ppm) for ppm in offsets], timing)
