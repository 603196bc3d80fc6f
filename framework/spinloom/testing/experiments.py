"""A simulator on one sequence and one subject, and small sequences for it to play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import SpinloomError
from spinloom.interfaces import KSpace, Signal, Simulator, Subject
from spinloom.sequence.events import AdcEvent
from spinloom.sequence.timeline import Timeline
from spinloom.tasks.simulate import build_simulator, check_fit
from spinloom.testing.deviation import Deviation, require
from spinloom.testing.timelines import MARKER, SPOILER, Part, block_pulse, timeline_of

Result = Signal | KSpace

HARD_PULSE = 1e-5
"""Length of the pulse of `free_induction_decay` [s]: what happens during it is below 1e-3 of the signal."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """What a contract plays: the simulator's registered name, its own options, a sequence and a subject."""

    simulator: str
    timeline: Timeline
    subject: Subject
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self, dtype: str = "float64", device: str = "cpu") -> Simulator:
        """A new simulator."""
        return build_simulator({"name": self.simulator, "dtype": dtype, "device": device, **self.options})

    def play(self, dtype: str = "float64", device: str = "cpu") -> Result:
        """What the simulator returns, after the check that every user's run goes through."""
        simulator = self.build(dtype, device)
        try:
            check_fit(simulator, self.simulator, self.timeline, self.subject)
            return simulator.simulate(self.timeline, self.subject)
        except (SpinloomError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise Deviation(
                f"Simulator '{self.simulator}' accepts {self.timeline.source} with subject '{self.subject.name}' and "
                f"then raises {type(error).__name__}: {error}. A user would see a traceback instead of a sentence; "
                "declare what is missing in `requirements`, or refuse it in `check`."
            ) from error

    def on(self, subject: Subject) -> Experiment:
        """The same with another subject."""
        return replace(self, subject=subject)

    def under(self, timeline: Timeline) -> Experiment:
        """The same with another sequence."""
        return replace(self, timeline=timeline)


def measured(result: Result) -> Tensor:
    """All complex numbers that a result holds, last axis first Mz and then Mxy of a signal."""
    if isinstance(result, KSpace):
        return result.samples
    require(
        result.mz.shape == result.mxy.shape,
        f"A simulator returned mz of shape {tuple(result.mz.shape)} and mxy of shape {tuple(result.mxy.shape)}; both "
        "are (*batch, samples), or voxels would be taken for samples.",
    )
    return torch.cat([result.mz.to(result.mxy.dtype), result.mxy], dim=-1)


def saturation_and_readouts() -> Timeline:
    """Two measurements of four samples, the first after a saturation pulse 3.5 ppm off resonance at 3 T."""
    wave, weak = block_pulse(0.1, 80.0, frequency=447.0)
    hard, excite = block_pulse(1e-3, 120.0)
    readout = AdcEvent(4, 1e-3, 2e-3, 0.0, 0.0, 0.0, 0.0, None)
    excite = replace(excite, use="excitation")
    saturated: list[Part] = [(wave, replace(weak, use="saturation")), SPOILER, (hard, excite), readout, SPOILER]
    return timeline_of([0.5, *saturated, 0.3, (hard, excite), readout])


def free_induction_decay() -> Timeline:
    """A hard pulse of 90 degrees along x, and eight samples, the first after 1 ms."""
    wave, hard = block_pulse(HARD_PULSE, 0.25 / HARD_PULSE)
    readout = AdcEvent(8, 2e-3, 0.0, 0.0, 0.0, 0.0, 0.0, None)
    return timeline_of([(wave, replace(hard, use="excitation")), readout])


def two_markers() -> Timeline:
    """A pulse and two pseudo-ADCs, the quickest thing to play."""
    wave, hard = block_pulse(1e-3, 100.0)
    return timeline_of([(wave, hard), MARKER, SPOILER, MARKER])


def silent(timeline: Timeline) -> Timeline:
    """The timeline with RF of no amplitude."""
    return replace(timeline, rf=tuple(replace(event, amplitude=0.0) for event in timeline.rf))


def without(timeline: Timeline, part: str) -> Timeline:
    """The timeline without any event of `part`: `rf`, `adc`, `gradients` or `labels`."""
    table = {"rf": "block_rf", "adc": "block_adc", "gradients": "block_gradient", "labels": "block_extension"}[part]
    gone: dict[str, Any] = {table: np.full_like(getattr(timeline, table), -1)}
    return replace(timeline, source=f"a sequence without {part}", **gone)
