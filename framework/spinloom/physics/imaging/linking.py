"""Operations as the inner loop takes them: numbers of tables replaced by the places at which they begin in a tile."""

from __future__ import annotations

import numpy as np

from spinloom.physics.imaging.elementary import halves
from spinloom.physics.imaging.plan import ADVANCE, EXCITE, FREE, MAP, PHASE, READ, RECOVER, RELAX, SAMPLE, Plan
from spinloom.physics.imaging.sampling import Sampling
from spinloom.physics.imaging.tile import Layout

OPERATION = np.dtype(
    [(name, np.int64) for name in ("kind", "a", "b", "c", "next", "terms", "count")]
    + [(name, np.float64) for name in ("time", "rest")]
)
"""An operation: kind, places, weights of a read, reads in one, and a time [s] as the sum of two numbers."""


def linked(
    plan: Plan, sampling: Sampling, layout: Layout, counts: np.ndarray, lanes: int, dtype: np.dtype
) -> np.ndarray:
    """The operations of `plan`, of the type `OPERATION`.

    READ: a is the place of its slot, b the row of its phase's cosines or -1, c the place of a factor or -1; `count`
        reads that follow each other, after the factors c and `next` in turn, are one operation
    SAMPLE: a is the place of its first sample, b as for READ, c its first segment and `terms` how many there are
    PHASE: a is the row of its phase's cosines; others: a is the place of a table

    counts: how many weights the samples of each slot take
    """
    found = np.zeros(len(plan.operations), dtype=OPERATION)
    kind, a, b, c = plan.operations.T
    size = layout.size
    joined = (plan.maps[:, 1:] >= 0).any(axis=1)
    maps = np.where(
        joined, layout.maps + 12 * np.arange(len(plan.maps)) * size, layout.pulses + 12 * plan.maps[:, 0] * size
    )
    slot = max(layout.coil_count, 1) * layout.terms * 2 * lanes
    found["kind"] = kind
    for which, place in (
        (ADVANCE, layout.factors + 2 * a * size),
        (RELAX, layout.decays + a * size),
        (EXCITE, layout.pulses + 12 * a * size),
        (PHASE, 2 * a),
        (READ, a * slot),
    ):
        found["a"] = np.where(kind == which, place, found["a"])
    found["a"][kind == MAP] = maps[a[kind == MAP]]
    read, sample = kind == READ, kind == SAMPLE
    found["a"][sample] = 2 * lanes * b[sample]
    found["c"][sample] = sampling.begins[a[sample]]
    found["terms"][sample] = np.diff(sampling.begins)[a[sample]]
    under = np.where(read, b, c)
    found["b"][read | sample] = np.where(under >= 0, 2 * under, -1)[read | sample]
    found["c"][read] = np.where(c[read] >= 0, layout.factors + 2 * c[read] * size, -1)
    found["terms"][read] = counts[a[read]]
    for number in np.flatnonzero((kind == FREE) | (kind == RECOVER)):
        found["time"][number], found["rest"][number] = halves(plan.times[a[number]], dtype)
    return _trains(found, slot)


def _trains(operations: np.ndarray, slot: int) -> np.ndarray:
    """The operations with reads taken together whose slots, of `slot` numbers, follow each other.

    Lines go to and fro, so that every second one has the same factor.
    """
    before, after = operations[:-1], operations[1:]
    follows = (after["kind"] == READ) & (after["c"] >= 0) & (before["c"] >= 0) & (after["a"] == before["a"] + slot)
    for name in ("kind", "b", "terms"):
        follows &= after[name] == before[name]
    follows[1:] &= ~follows[:-1] | (operations["c"][2:] == operations["c"][:-2])
    first = np.flatnonzero(np.concatenate([[True], ~follows])) if operations.size else np.zeros(0, dtype=np.int64)
    found = operations[first]
    found["count"] = np.diff(np.append(first, operations.size))
    found["next"] = operations["c"][np.minimum(first + 1, operations.size - 1)]
    return found


def linked_segments(plan: Plan, sampling: Sampling, layout: Layout) -> np.ndarray:
    """The segments of `sampling`, whose moments and times come after those of `plan`, with rows and places."""
    found = sampling.segments.copy()
    found[:, 3] = 2 * (found[:, 3] + len(plan.phases))
    found[:, 4:] = layout.factors + 2 * (found[:, 4:] + len(plan.factors)) * layout.size
    return found
