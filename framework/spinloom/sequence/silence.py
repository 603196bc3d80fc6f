"""Zeros at the end of RF shapes are free precession, which needs no pulse.

Files before version 1.4 end their shapes with zeros for the ring-down.  A block lasts as long without them, so that
what a shortened pulse leaves is played as a delay.  As many zeros as stand at the begin of a shape are
kept, because a pulse that is the same backwards is worth more whole.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinloom.sequence.timeline import RfWaveform, Timeline


def without_silence(timeline: Timeline) -> Timeline:
    """The timeline with the zeros at the end of its RF shapes left to free precession; itself where there are none."""
    waveforms = tuple(_shortened(waveform) for waveform in timeline.waveforms)
    if all(one is other for one, other in zip(waveforms, timeline.waveforms, strict=True)):
        return timeline
    return replace(timeline, waveforms=waveforms)


def _shortened(waveform: RfWaveform) -> RfWaveform:
    sounding = np.flatnonzero(waveform.values)
    if not sounding.size:
        return waveform
    before = float(waveform.durations[: sounding[0]].sum())
    after = waveform.durations[sounding[-1] + 1 :]
    if float(after.sum()) <= before:
        return waveform
    kept = np.minimum(np.cumsum(after), before) - np.minimum(np.cumsum(after) - after, before)
    durations = np.concatenate([waveform.durations[: sounding[-1] + 1], kept[kept > 0]])
    return RfWaveform(durations, waveform.values[: durations.size], exact=waveform.exact)
