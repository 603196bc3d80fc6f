"""Whether what a sequence samples makes up images of lines, found out before anything is simulated."""

from __future__ import annotations

import numpy as np
import torch

from spinloom.errors import RequirementError, SequenceError
from spinloom.interfaces import KSpace
from spinloom.reconstruction.cartesian_plan import plan_cartesian
from spinloom.reconstruction.counters import imaging_events
from spinloom.reconstruction.field_of_view import field_of_view
from spinloom.sequence.timeline import Timeline
from spinloom.sequence.trajectory import labels, trajectory
from spinloom.tissue.phantom import Phantom


def check_lines(simulator: str, timeline: Timeline, phantom: Phantom) -> None:
    """Raise `RequirementError` where the samples of `timeline` are no lines, or labels contradict where they lie.

    simulator: name of the one that reconstructs images from lines alone
    """
    counts = [timeline.adcs[event].samples for event in timeline.block_adc[timeline.block_adc >= 0].tolist()]
    places = trajectory(timeline)
    kspace = KSpace(
        samples=torch.zeros(1, len(places), dtype=torch.complex64),
        time=np.zeros(len(places)),
        measurement=np.repeat(np.arange(len(counts)), counts),
        trajectory=places,
        labels=labels(timeline),
        fov=phantom.fov,
    )
    events = imaging_events(kspace.labels, kspace.measurements)
    if not events.size:
        raise RequirementError(
            f"Simulator '{simulator}' makes images, but labels mark every ADC event of {timeline.source} as navigator, "
            "noise or calibration; simulator=bloch plays any samples."
        )
    try:
        plan_cartesian(kspace, events, field_of_view(kspace, timeline.definitions, None), "auto", True)
    except SequenceError as error:
        raise RequirementError(
            f"Simulator '{simulator}' makes images of lines of k-space, but those of {timeline.source} make up none: "
            f"{error} simulator=bloch plays any samples."
        ) from error
