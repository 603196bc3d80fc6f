"""Where in k-space each sample of a timeline lies, and which labels its ADC events carry.

k(t) is the integral of the gradient [Hz/m] since the centre of the last excitation pulse, with its sign turned at the
centre of each refocusing pulse; other pulses leave it alone.  It is exact for the file's straight gradient lines, and
it is the pathway that the sequence images: stimulated echoes and the free induction of refocusing pulses have others.
Files before version 1.5, and pulses whose use is undefined, do not say which pulses excite.  There a pulse that
flips by more than `REFOCUSING_FLIP` on resonance counts as refocusing and any other one as excitation.

Labels follow Pulseq: they begin at 0, last from block to block, and a block's own take effect before its ADC event,
those that set before those that increment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spinloom.sequence.events import rotation_in
from spinloom.sequence.timeline import Label, RfEvent, Timeline

REFOCUSING_FLIP = math.radians(135)
"""A pulse of undefined use that flips by more than this refocuses: half way between 90 and 180 degrees."""


def trajectory(timeline: Timeline) -> np.ndarray:
    """k-space position along x, y, z of every ADC sample in playing order [cycles/m], shape `(samples, 3)`."""
    begins, effects = _block_begins(timeline)
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    counts = np.array([adc.samples for adc in timeline.adcs], dtype=np.int64)[timeline.block_adc[blocks]]
    first = np.cumsum(counts) - counts
    positions = np.zeros((int(counts.sum()), 3))
    for event, where in _groups(timeline.block_adc[blocks]):
        times = timeline.adcs[event].sample_times()
        played = blocks[where]
        moments = _moments(timeline, played, times)
        after = times > effects.time[played, None]
        moments += np.where(after[:, :, None], effects.carried(begins, played)[:, None], begins[played][:, None])
        positions[first[where, None] + np.arange(times.size)] = moments
    return positions


def labels(timeline: Timeline) -> dict[str, np.ndarray]:
    """Value of each label that the blocks use at every ADC event, shape `(measurements,)`."""
    lists = [[item for item in items if isinstance(item, Label)] for items in timeline.extensions]
    names = sorted({item.name for items in lists for item in items})
    measured = timeline.block_adc >= 0
    return {name: _label_values(timeline, lists, name)[measured] for name in names}


def _label_values(timeline: Timeline, lists: list[list[Label]], name: str) -> np.ndarray:
    """Value of a label at every block: what was set last plus what was added since."""
    sets = [[item.value for item in items if item.name == name and not item.increment] for items in lists]
    added = [sum(item.value for item in items if item.name == name and item.increment) for items in lists]
    is_set = np.array([bool(values) for values in sets] + [False])[timeline.block_extension]
    target = np.array([values[-1] if values else 0 for values in sets] + [0], dtype=np.int64)[timeline.block_extension]
    total = np.cumsum(np.array([*added, 0], dtype=np.int64)[timeline.block_extension])
    before = np.concatenate([[0], total[:-1]])
    bases = np.concatenate([[0], (target - before)[is_set]])
    values: np.ndarray = total + bases[np.cumsum(is_set)]
    return values


@dataclass(frozen=True, eq=False)
class _Effects:
    """What the pulse of each block does to k.

    factor: by what it multiplies k, shape `(blocks,)`; 1 where there is no pulse
    time: when it does, after the block's begin [s], shape `(blocks,)`
    moment: what the block's gradients have played by then [cycles/m], shape `(blocks, 3)`
    """

    factor: np.ndarray
    time: np.ndarray
    moment: np.ndarray

    def carried(self, begins: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """What adds to the moment played since a block's begin once its pulse has acted, shape `(blocks, 3)`."""
        factor = self.factor[blocks, None]
        carried: np.ndarray = factor * begins[blocks] + (factor - 1) * self.moment[blocks]
        return carried


def _effects(timeline: Timeline) -> _Effects:
    factors = np.append(moment_factors(timeline), 1.0)[timeline.block_rf]
    centres = [event.delay + _centre(timeline, event) for event in timeline.rf]
    times = np.array([*centres, np.inf])[timeline.block_rf]
    moments = np.zeros((len(timeline), 3))
    acting = np.flatnonzero(factors != 1)
    moments[acting] = _moments(timeline, acting, times[acting, None])[:, 0]
    return _Effects(factors, times, moments)


def _block_begins(timeline: Timeline) -> tuple[np.ndarray, _Effects]:
    """k at the begin of every block [cycles/m], shape `(blocks, 3)`, and what the blocks' pulses do to it.

    It is a running sum of what the blocks add, each as often turned as refocusing pulses follow, from the last
    excitation on.
    """
    effects = _effects(timeline)
    blocks = np.arange(len(timeline))
    gained = _moments(timeline, blocks, np.array([np.inf]))[:, 0]
    added = gained + effects.carried(np.zeros_like(gained), blocks)
    turned = np.cumprod(np.where(effects.factor < 0, -1.0, 1.0))[:, None]
    total = np.concatenate([np.zeros((1, 3)), np.cumsum(turned * added, axis=0)])
    excited = np.maximum.accumulate(np.where(effects.factor == 0, blocks, 0))
    return np.concatenate([np.zeros((1, 3)), (turned * (total[1:] - total[excited]))[:-1]]), effects


def moment_factors(timeline: Timeline) -> np.ndarray:
    """By what each RF event multiplies k: 0 for excitation, -1 for refocusing, 1 for others, shape `(events,)`."""
    return np.array([_factor(timeline, event) for event in timeline.rf])


def _factor(timeline: Timeline, event: RfEvent) -> float:
    if event.use == "undefined":
        flip = 2 * math.pi * abs(event.amplitude * timeline.waveforms[event.waveform].area)
        return -1.0 if flip > REFOCUSING_FLIP else 0.0
    return {"excitation": 0.0, "refocusing": -1.0}.get(event.use, 1.0)


def _centre(timeline: Timeline, event: RfEvent) -> float:
    """When a pulse acts, after its own begin [s]."""
    return timeline.waveforms[event.waveform].centre if math.isnan(event.centre) else event.centre


def _moments(timeline: Timeline, blocks: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Moment of each of `blocks` from its begin to `times`, as played [cycles/m], shape `(blocks, n, 3)`.

    times: after the block's begin [s], of shape `(n,)` or, where they differ between blocks, `(blocks, n)`
    """
    moments = np.zeros((blocks.size, times.shape[-1], 3))
    for axis, row in enumerate(timeline.block_gradient[:, blocks]):
        for event, where in _groups(row):
            moments[where, :, axis] = timeline.gradients[event].moment_at(times if times.ndim == 1 else times[where])
    for number, where in _groups(timeline.block_extension[blocks]):
        rotation = rotation_in(timeline.extensions[number])
        if rotation is not None:
            moments[where] = moments[where] @ rotation.matrix.T
    return moments


def _groups(events: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each distinct event that is one (not -1), and the places at which it stands."""
    order = np.argsort(events, kind="stable")
    for where in np.split(order, np.flatnonzero(np.diff(events[order])) + 1):
        if where.size and events[where[0]] >= 0:
            yield int(events[where[0]]), where
