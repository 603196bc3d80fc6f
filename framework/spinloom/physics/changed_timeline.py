"""A sequence with changes as a timeline: what a file would hold that plays them.  It carries no gradients."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np

from spinloom.physics.sequence_changes import SequenceChanges, checked
from spinloom.sequence.events import RfEvent
from spinloom.sequence.gradient import GradientEvent
from spinloom.sequence.timeline import Timeline
from spinloom.sequence.trajectory import moment_factors

Column = tuple[np.ndarray, tuple[Any, ...]]
"""What a column of the block table holds, and the events to which it refers."""


def changed_timeline(timeline: Timeline, changes: SequenceChanges) -> Timeline:
    """`timeline` with changes, for engines, trajectories and figures that know timelines alone.

    Pulses keep their use: one of undefined use is what it was before its flip angle changed.

    Raises `SequenceError` for changes that do not fit `timeline`.
    """
    numbers = checked(changes, timeline)
    given = {name: getattr(numbers, name).detach().cpu().numpy() for name in changes.names}
    duration, gradients, events = timeline.block_duration, timeline.block_gradient, timeline.gradients
    rf, pulses = timeline.block_rf, timeline.rf
    if "delay" in given:
        duration = duration + given["delay"]
    if "gradient_scale" in given:
        gradients, events = _scaled(timeline, np.broadcast_to(given["gradient_scale"], gradients.shape))
    if {"rf_scale", "rf_phase", "rf_offset"} & given.keys():
        rf, pulses = _changed_pulses(timeline, given)
    return replace(
        timeline,
        rf=pulses,
        gradients=events,
        block_duration=duration,
        block_rf=rf,
        block_gradient=gradients,
        source=f"{timeline.source} with changes",
        sha256="",
    )


def _changed_pulses(timeline: Timeline, given: dict[str, np.ndarray]) -> Column:
    played = np.flatnonzero(timeline.block_rf >= 0)
    scale, phase, offset = (
        np.broadcast_to(given.get(name, nothing), played.shape).tolist()
        for name, nothing in (("rf_scale", 1.0), ("rf_phase", 0.0), ("rf_offset", 0.0))
    )
    distinct: dict[Hashable, tuple[int, RfEvent]] = {}
    told = [_told(event, factor) for event, factor in zip(timeline.rf, moment_factors(timeline), strict=True)]
    column = timeline.block_rf.copy()
    for pulse, block in enumerate(played.tolist()):
        number = int(timeline.block_rf[block])
        event, key = told[number], (number, scale[pulse], phase[pulse], offset[pulse])
        changed = replace(
            event,
            amplitude=event.amplitude * scale[pulse],
            phase_offset=event.phase_offset + phase[pulse],
            frequency_offset=event.frequency_offset + offset[pulse],
        )
        column[block] = distinct.setdefault(key, (len(distinct), changed))[0]
    return column, tuple(event for _, event in distinct.values())


def _told(event: RfEvent, factor: float) -> RfEvent:
    """The pulse with what it does to k stated as its use."""
    return replace(event, use={0.0: "excitation", -1.0: "refocusing"}[factor]) if event.use == "undefined" else event


def _scaled(timeline: Timeline, scale: np.ndarray) -> Column:
    distinct: dict[Hashable, tuple[int, GradientEvent]] = {}
    columns = timeline.block_gradient.copy()
    for axis, block in np.argwhere(columns >= 0).tolist():
        number, factor = int(columns[axis, block]), float(scale[axis, block])
        event = timeline.gradients[number]
        scaled = replace(
            event, amplitude=event.amplitude * factor, first=event.first * factor, last=event.last * factor
        )
        columns[axis, block] = distinct.setdefault((number, factor), (len(distinct), scaled))[0]
    return columns, tuple(event for _, event in distinct.values())
