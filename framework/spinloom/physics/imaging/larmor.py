"""The Larmor frequency that ppm terms of a sequence refer to, where a phantom is played."""

from __future__ import annotations

from spinloom.errors import RequirementError
from spinloom.physics.propagation import common_larmor
from spinloom.sequence.rf_facts import stated_larmor
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom


def larmor_frequency(timeline: Timeline, phantom: Phantom) -> float:
    """Larmor frequency [Hz]: that of the phantom's pools, else what the file states, else 0 where nothing is in ppm.

    Raises `RequirementError` where the file gives frequencies in ppm and neither tells of what.
    """
    if phantom.pools is not None:
        return common_larmor(phantom.pools.tissue)
    stated = stated_larmor(timeline)
    terms = [(event.frequency_ppm, event.phase_ppm) for events in (timeline.rf, timeline.adcs) for event in events]
    if stated is None and any(frequency or phase for frequency, phase in terms):
        raise RequirementError(
            f"{timeline.source} gives frequencies in ppm of a Larmor frequency, which neither its definitions nor "
            f"phantom '{phantom.name}' tell; add B0 [T] or FREQ [MHz] to its definitions."
        )
    return stated or 0.0
