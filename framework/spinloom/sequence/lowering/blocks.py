"""The block table: which events each block plays, and how long it lasts.

Since version 1.4 a block states its duration, and events that end later are an error; before, a block lasts as long
as its longest event or its delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.timeline import Timeline, Trigger

OVERRUN = 1.5e-6
"""Events may end this much after their block [s]: files round times to a microsecond."""


def event_indices(ids: np.ndarray, numbers: np.ndarray, events: Mapping[int, Any], what: str) -> np.ndarray:
    """Positions in `events` of the ids that blocks name, -1 where a block names none.

    ids, numbers: the named id and the file's number of each block, shape `(blocks,)`
    """
    position = {key: index for index, key in enumerate(events)} | {0: -1}
    distinct, inverse = np.unique(ids, return_inverse=True)
    for key in distinct.tolist():
        if key not in position:
            block = numbers[np.flatnonzero(ids == key)[0]]
            raise SequenceError(f"block {block} plays {what} {key}, which the file does not define.")
    return np.array([position[key] for key in distinct.tolist()], dtype=np.int64)[inverse]


def block_durations(timeline: Timeline, numbers: np.ndarray) -> np.ndarray:
    """Durations of the blocks [s], to the picosecond, shape `(blocks,)`."""
    stated, events = timeline.block_duration, _event_ends(timeline)
    if timeline.version < (1, 4, 0):
        return np.round(np.maximum(stated, events), 12)
    late = np.flatnonzero(events > stated + OVERRUN)
    if late.size:
        raise SequenceError(
            f"block {numbers[late[0]]} lasts {stated[late[0]]:.9g} s, but its events end after "
            f"{events[late[0]]:.9g} s; its stated duration is too short."
        )
    return np.round(stated, 12)


def _event_ends(timeline: Timeline) -> np.ndarray:
    """When the last event of each block ends, after the block's begin [s], shape `(blocks,)`."""
    rf = [event.delay + timeline.waveforms[event.waveform].duration for event in timeline.rf]
    gradients = [gradient.duration for gradient in timeline.gradients]
    readouts = [adc.duration for adc in timeline.adcs]
    triggers = [
        max((item.delay + item.duration for item in items if isinstance(item, Trigger)), default=0.0)
        for items in timeline.extensions
    ]
    ends = np.zeros(len(timeline))
    for lengths, table in (
        (rf, timeline.block_rf),
        *((gradients, row) for row in timeline.block_gradient),
        (readouts, timeline.block_adc),
        (triggers, timeline.block_extension),
    ):
        ends = np.maximum(ends, np.append(lengths, 0.0)[table])
    return ends


def refuse_missing_time(timeline: Timeline) -> None:
    """Raise `SequenceError` where the blocks last shorter than the file says that they do: its end is missing."""
    total = timeline.definitions.get("TotalDuration")
    if timeline.version < (1, 4, 0) or not isinstance(total, float):
        return
    if timeline.duration < total * (1 - 1e-6) - timeline.rasters.block:
        raise SequenceError(
            f"the blocks last {timeline.duration:.9g} s, but the definition TotalDuration says {total:.9g} s; "
            "the file is truncated, or its blocks were changed and the definition was not."
        )
