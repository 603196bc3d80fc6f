"""Shots of an imaging sequence: from an excitation that follows a readout to the last readout before the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.sequence.timeline import Timeline
from spinloom.sequence.trajectory import moment_factors


@dataclass(frozen=True)
class Shot:
    """What one shot plays.

    blocks: of the timeline, from that of its first excitation up to, not including, the one after its last readout
    excitations, refocusings: how many pulses of each kind, `other` pulses beside them
    readouts: ADC events
    refocusings_between: the largest number of refocusing pulses between two readouts
    """

    blocks: range
    excitations: int
    refocusings: int
    other: int
    readouts: int
    refocusings_between: int


def shots(timeline: Timeline) -> tuple[Shot, ...]:
    """The shots of a timeline in playing order; pulses before the first excitation of a shot belong to none."""
    factors = np.append(moment_factors(timeline), np.nan)[timeline.block_rf]
    reads = timeline.block_adc >= 0
    found: list[Shot] = []
    start: int | None = None
    has_read = False
    for block in np.flatnonzero((timeline.block_rf >= 0) | reads).tolist():
        if factors[block] == 0 and (start is None or has_read):
            if start is not None:
                found.append(_shot(start, block, factors, reads))
            start, has_read = block, False
        has_read = has_read or bool(reads[block])
    if start is not None:
        found.append(_shot(start, len(timeline), factors, reads))
    return tuple(found)


def _shot(start: int, end: int, factors: np.ndarray, reads: np.ndarray) -> Shot:
    """The shot that begins with block `start`, before the one that begins with `end`."""
    taken = np.flatnonzero(reads[start:end])
    end = start + int(taken[-1]) + 1 if taken.size else start + 1
    own = factors[start:end]
    refocusings = np.cumsum(own == -1)
    at_reads = refocusings[taken]
    return Shot(
        blocks=range(start, end),
        excitations=int((own == 0).sum()),
        refocusings=int((own == -1).sum()),
        other=int((own == 1).sum()),
        readouts=taken.size,
        refocusings_between=int(np.diff(at_reads).max()) if taken.size > 1 else 0,
    )
