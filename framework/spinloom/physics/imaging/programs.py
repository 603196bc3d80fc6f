"""Programs and plans of timelines that were played before, for as long as somebody holds the timeline."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

from spinloom.physics.imaging.plan import Plan, plan
from spinloom.sequence.spatial_program import spatial_program
from spinloom.sequence.spatial_steps import SpatialProgram
from spinloom.sequence.timeline import Timeline

_PROGRAMS: WeakKeyDictionary[Timeline, dict[tuple[float, float, bool], SpatialProgram]] = WeakKeyDictionary()
_PLANS: WeakKeyDictionary[SpatialProgram, dict[tuple[bool, ...], Plan]] = WeakKeyDictionary()


def program_of(timeline: Timeline, larmor: float, longest: float, complete_recovery: bool) -> SpatialProgram:
    """`spatial_program` of a timeline whose readouts are cut to powers of two of a second, at most `longest` [s].

    Phantoms of a set differ in `longest`, but little, and so they share a program.
    """
    readouts = max((adc.samples * adc.dwell for adc in timeline.adcs), default=0.0)
    length = math.inf if longest >= readouts else 2.0 ** math.floor(math.log2(longest))
    known = _PROGRAMS.setdefault(timeline, {})
    key = larmor, length, complete_recovery
    if key not in known:
        known[key] = spatial_program(timeline, larmor, length, complete_recovery)
    return known[key]


def plan_of(program: SpatialProgram, lines: tuple[bool, ...]) -> Plan:
    """`plan` of a program and its lines."""
    known = _PLANS.setdefault(program, {})
    if lines not in known:
        known[lines] = plan(program, lines)
    return known[lines]
