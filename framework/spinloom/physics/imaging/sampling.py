"""Readouts that are no lines, sample by sample: segments in which M+ goes on from one sample to the next.

Under a constant gradient each sample is the one before times a factor of the spin, e^(L dt) e^(2 pi i dk r); where the
gradient varies the factor is e^(L dt) alone, and each sample is summed under its own moment.  A segment begins anew
from a factor that is worked out whole, so that rounding does not grow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging.plan import SAMPLE, Plan
from spinloom.sequence.spatial_steps import SpatialProgram

LENGTH = 64
"""Samples of a segment."""

STRAIGHT = 1e-8
"""Turns by which the phases of a segment may miss those of a constant gradient."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """Segments of all readouts that are sampled, `(segments, 7)`, and what they refer to.

    Columns: whether the gradient varies, first sample in its readout, samples, first of the moments (one a sample where
    it varies, else those of the first sample and of a step), times of a step and from the segment before, or from the
    readout's middle.

    begins: first segment of each readout, and the number of all, `(readouts + 1,)`
    moments: [cycles/m], `(moments, 3)`
    times: [s]
    """

    segments: np.ndarray
    begins: np.ndarray
    moments: np.ndarray
    times: list[float]


def sampling(program: SpatialProgram, plan: Plan, reach: np.ndarray) -> Sampling:
    """Segments of the readouts that `plan` samples; reach: largest distance along x, y, z from the origin [m]."""
    used = set(plan.operations[plan.operations[:, 0] == SAMPLE, 1].tolist())
    times: dict[float, int] = {}
    rows: list[tuple[int, ...]] = []
    moments: list[np.ndarray] = []
    begins, count = [0], 0
    for number, readout in enumerate(program.readouts):
        clock = 0.0
        for first in range(0, readout.times.size if number in used else 0, LENGTH):
            part = readout.moments[first : first + LENGTH]
            step = (part[-1] - part[0]) / max(1, len(part) - 1)
            missed = np.abs(part - part[0] - np.arange(len(part))[:, None] * step) @ reach
            varies = bool(missed.max() > STRAIGHT)
            dwell = float(readout.times[-1] - readout.times[0]) / max(1, readout.times.size - 1)
            waits = (round(dwell, 15), round(float(readout.times[first]) - clock, 15))
            clock = float(readout.times[first])
            rows.append((varies, first, len(part), count, *(times.setdefault(wait, len(times)) for wait in waits)))
            moments.append(part if varies else np.stack([part[0], step]))
            count += len(moments[-1])
        begins.append(len(rows))
    return Sampling(
        segments=np.array(rows, dtype=np.int64).reshape(-1, 6),
        begins=np.array(begins),
        moments=np.concatenate([np.zeros((0, 3)), *moments]),
        times=list(times),
    )
