"""What turns one sequence into another of the same structure, as changes: pulse by pulse and block by block.

Amplitudes, phases, frequencies and times may differ, and in blocks without pulse and readout the course of gradients,
of which the moment alone counts there.  What no change can say is refused by name.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np
import torch

from spinloom.errors import SequenceError
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.events import RfEvent, rotation_in
from spinloom.sequence.timeline import AXES, Timeline

SAME = 2e-5
"""Part by which numbers of one meaning may differ between files that hold six digits."""

NO_MOMENT = 1e-6
"""Moments below this are none [cycles/m]."""


def sequence_difference(timeline: Timeline, other: Timeline) -> SequenceChanges:
    """The changes with which `timeline` plays what `other` does.

    Raises `SequenceError` where their blocks, shapes or samples differ, and where a gradient or pulse is nothing in
    `timeline` alone: it has no factor.
    """
    one, two = ((table >= 0).tolist() for table in (timeline.block_rf, timeline.block_adc))
    if [one, two] != [(table >= 0).tolist() for table in (other.block_rf, other.block_adc)]:
        raise SequenceError(f"{timeline.source} and {other.source} differ in their blocks.")
    pulsed = np.flatnonzero(one).tolist()
    pulses = torch.tensor([_pulse(timeline, other, block) for block in pulsed], dtype=torch.float64).reshape(-1, 3)
    for block in np.flatnonzero(two).tolist():
        _refuse_other_samples(timeline, other, block)
    scales = [[_gradient(timeline, other, axis, block) for block in range(len(timeline))] for axis in range(3)]
    return SequenceChanges(
        rf_scale=pulses[:, 0],
        rf_phase=pulses[:, 1],
        rf_offset=pulses[:, 2],
        delay=torch.from_numpy(other.block_duration - timeline.block_duration),
        gradient_scale=torch.tensor(scales, dtype=torch.float64).reshape(3, -1),
    )


def _pulse(timeline: Timeline, other: Timeline, block: int) -> tuple[float, float, float]:
    """Scale, phase [rad] and offset [Hz] of the pulse of a block."""
    one, two = (each.rf[each.block_rf[block]] for each in (timeline, other))
    same = _alike(one, two, ("delay", "frequency_ppm", "phase_ppm")) and _same_shape(timeline, one, other, two)
    if not same:
        _refuse(timeline, other, block, "the shape or the time of the pulse")
    turn = (two.phase_offset - one.phase_offset + math.pi) % (2 * math.pi) - math.pi
    if not one.amplitude and two.amplitude:
        _refuse(timeline, other, block, "a pulse that is nothing in the first")
    return two.amplitude / one.amplitude if one.amplitude else 1.0, turn, two.frequency_offset - one.frequency_offset


def _same_shape(timeline: Timeline, one: RfEvent, other: Timeline, two: RfEvent) -> bool:
    first, second = timeline.waveforms[one.waveform], other.waveforms[two.waveform]
    if first.durations.size != second.durations.size:
        return False
    return np.allclose(first.durations, second.durations) and np.allclose(first.values, second.values, atol=SAME)


def _refuse_other_samples(timeline: Timeline, other: Timeline, block: int) -> None:
    one, two = (each.adcs[each.block_adc[block]] for each in (timeline, other))
    names = ("samples", "dwell", "delay", "frequency_offset", "phase_offset", "frequency_ppm", "phase_ppm")
    if not _alike(one, two, names):
        _refuse(timeline, other, block, "the samples or the receiver")


def _gradient(timeline: Timeline, other: Timeline, axis: int, block: int) -> float:
    """Scale of the gradient on an axis of a block."""
    if rotation_in(timeline.block(block).extensions) != rotation_in(other.block(block).extensions):
        _refuse(timeline, other, block, "the rotation")
    one, two = (
        each.gradients[number] if (number := each.block_gradient[axis, block]) >= 0 else None
        for each in (timeline, other)
    )
    if one is None and two is None:
        return 1.0
    during = timeline.block_rf[block] >= 0 or timeline.block_adc[block] >= 0
    if one is not None and two is not None and during:
        times, values = one.points()
        others = two.points()
        largest = np.abs(values).argmax()
        if times.size == others[0].size and np.allclose(times, others[0], atol=1e-9) and values[largest]:
            scale = float(others[1][largest] / values[largest])
            if np.allclose(others[1], scale * values, atol=SAME * abs(others[1][largest])):
                return scale
        _refuse(timeline, other, block, f"the course of the gradient on {AXES[axis]}")
    first, second = (0.0 if event is None else event.moment for event in (one, two))
    if abs(first) > NO_MOMENT:
        return second / first
    if abs(second) > NO_MOMENT or (during and two is not None):
        _refuse(timeline, other, block, f"a gradient on {AXES[axis]} that is nothing in the first")
    return 1.0


def _alike(one: Any, two: Any, names: tuple[str, ...]) -> bool:
    pairs = ((getattr(one, name), getattr(two, name)) for name in names)
    return all(math.isclose(first, second, rel_tol=SAME, abs_tol=1e-9) for first, second in pairs)


def _refuse(timeline: Timeline, other: Timeline, block: int, what: str) -> NoReturn:
    raise SequenceError(
        f"{timeline.source} and {other.source} differ in {what} of block {block + 1} in playing order, which changes "
        "of amplitudes, phases, frequencies and times cannot express."
    )
