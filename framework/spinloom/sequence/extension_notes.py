"""What a simulation takes for granted where blocks carry triggers or soft delays, as sentences."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.timeline import SoftDelay, Timeline, Trigger


def extension_notes(timeline: Timeline) -> tuple[str, ...]:
    """A sentence for each kind of extension of the blocks that play whose meaning is idealised."""
    played = np.unique(timeline.block_extension[timeline.block_extension >= 0]).tolist()
    kinds = {type(item) for index in played for item in timeline.extensions[index]}
    sentences = {Trigger: "Triggers are taken to fire at once.", SoftDelay: "Soft delays last as long as their blocks."}
    return tuple(sentence for kind, sentence in sentences.items() if kind in kinds)
