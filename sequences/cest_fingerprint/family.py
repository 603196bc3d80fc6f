"""The family `cest_fingerprint`: a schedule of saturations whose amplitudes and offsets are drawn from a number.

How a point is played is said in `timing.py`.  Schedules of one `schedule` number take the same shares of their ranges,
whatever the ranges are.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pypulseq as pp

from spinloom.sequence.design import nearest_us
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.parameter import Meaning
from spinloom.sequences.cest_fingerprint.timing import Timing, play

SaturationMs = Annotated[
    float, Meaning("duration of the saturation, on 0.01 ms [ms]", 0.1, 60_000, published=(1000, 10_000))
]
RecoveryMs = Annotated[
    float, Meaning("from the end of a saturation to the next, on 0.01 ms [ms]", 30, 60_000, published=(1000, 10_000))
]
FieldT = Annotated[float, Meaning("field at which offsets in ppm are meant [T]", 0.1, 30)]
WholeTurns = Annotated[bool, Meaning("end each saturation on a whole turn of its offset, half a turn off at most")]


def cest_fingerprint(
    *,
    points: Annotated[int, Meaning("points of the schedule", 1, 1000)] = 30,
    schedule: Annotated[int, Meaning("number that amplitudes and offsets are drawn from", 0, 1e9)] = 0,
    smallest_b1_ut: Annotated[float, Meaning("smallest amplitude of the saturation [uT]", 0, 100)] = 0.25,
    largest_b1_ut: Annotated[float, Meaning("largest amplitude of the saturation [uT]", 0, 100)] = 6.0,
    without: Annotated[float, Meaning("share of the points that have no saturation", 0, 1)] = 0.0,
    smallest_ppm: Annotated[float, Meaning("smallest offset of the saturation [ppm]", -1000, 1000)] = 3.0,
    largest_ppm: Annotated[float, Meaning("largest offset of the saturation [ppm]", -1000, 1000)] = 3.0,
    saturation_ms: SaturationMs = 3000.0,
    recovery_ms: RecoveryMs = 1000.0,
    flip_deg: may_be.FlipDeg = 60.0,
    field_t: FieldT = 9.4,
    whole_turns: WholeTurns = False,
) -> pp.Sequence:
    """A fingerprint of continuous-wave saturation: one marker a point."""
    draws = np.random.default_rng(schedule).random((3, points))
    amplitudes = smallest_b1_ut + (largest_b1_ut - smallest_b1_ut) * draws[0]
    amplitudes[draws[2] < without] = 0.0
    offsets = smallest_ppm + (largest_ppm - smallest_ppm) * draws[1]
    timing = Timing(nearest_us(saturation_ms), nearest_us(recovery_ms), flip_deg, field_t, whole_turns)
    return play("cest_fingerprint", amplitudes.tolist(), offsets.tolist(), timing)
