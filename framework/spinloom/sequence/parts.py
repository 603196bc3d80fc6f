"""Parts of a timeline, and a timeline that marks moments instead of reading out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinloom.sequence.events import AdcEvent
from spinloom.sequence.timeline import Timeline

MARKER_DWELL = 1e-9
"""Dwell time of a marker [s]: it takes its only sample at its begin and no time."""


def part(timeline: Timeline, blocks: range) -> Timeline:
    """The blocks of a timeline that a range names, starting at time 0; definitions and hash stay those of the whole."""
    chosen = slice(blocks.start, blocks.stop)
    return replace(
        timeline,
        block_duration=timeline.block_duration[chosen].copy(),
        block_rf=timeline.block_rf[chosen].copy(),
        block_gradient=timeline.block_gradient[:, chosen].copy(),
        block_adc=timeline.block_adc[chosen].copy(),
        block_extension=timeline.block_extension[chosen].copy(),
    )


def with_markers(timeline: Timeline, blocks: np.ndarray, silent: np.ndarray) -> Timeline:
    """The timeline with a pseudo-ADC at the begin of each of `blocks` instead of its own ADC events.

    silent: blocks of which the time alone is left, without pulses and gradients
    """
    marker = AdcEvent(1, MARKER_DWELL, 0.0, 0.0, 0.0, 0.0, 0.0, None)
    reads = np.full(len(timeline), -1, dtype=timeline.block_adc.dtype)
    reads[blocks] = 0
    pulses, gradients = timeline.block_rf.copy(), timeline.block_gradient.copy()
    pulses[silent] = -1
    gradients[:, silent] = -1
    return replace(timeline, adcs=(marker,), block_adc=reads, block_rf=pulses, block_gradient=gradients)
