"""A trained network in a simulator's place: it plays a sequence on tissues, and flags what it was never trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spinloom.errors import RequirementError
from spinloom.interfaces import Checker, Input, Signal, Surrogate
from spinloom.learning.scaling import outside, range_notes, scaled
from spinloom.learning.set_parts import first_times
from spinloom.physics.offsets import offsets_ppm
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

BATCH = 65_536
"""Tissues that a network is given at once."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of tissues.

    signals: of the surrogate's `quantity`, shape `(tissues, measurements)`
    outside: which of its inputs lie outside their valid range, shape `(tissues, inputs)`
    notes: a sentence for each input that does
    """

    signals: Tensor
    outside: Tensor
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TrainedSurrogate:
    """A surrogate with its trained network.

    name: of the surrogate
    inputs: with the ranges of its training, which scale them
    record: of how it came about
    """

    name: str
    surrogate: Surrogate
    network: torch.nn.Module
    inputs: tuple[Input, ...]
    record: Mapping[str, Any]

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.network.parameters()).device

    def check(self, timeline: Timeline, tissue: Tissue) -> None:
        """Raise `RequirementError` where the network cannot stand in for a simulator of these."""
        self.surrogate.requirements.check(self.name, timeline, tissue)
        if isinstance(self.surrogate, Checker):
            self.surrogate.check(timeline, tissue)

    def predict(self, timeline: Timeline, tissue: Tissue, strict: bool = False) -> Prediction:
        """The signals of a flat batch of tissues; differentiable where the surrogate's features are.

        Raises `RequirementError` where an input lies outside its valid range and `strict` is true.
        """
        count = tissue.batch_shape.numel()
        parts = [self._predict(timeline, tissue[first : first + BATCH]) for first in range(0, count, BATCH)]
        features, signals = (torch.cat(column) for column in zip(*parts, strict=True))
        beyond = outside(features, self.inputs)
        notes = range_notes(features, beyond, self.inputs)
        if strict and notes:
            raise RequirementError(f"{' '.join(notes)} Stay within the range, or leave strict=true out.")
        return Prediction(signals, beyond, notes)

    def signal(
        self, timeline: Timeline, tissue: Tissue, strict: bool = False, dtype: torch.dtype = torch.float64
    ) -> tuple[Signal, Prediction]:
        """The prediction as the signal of a simulator, one sample a measurement, and the prediction itself.

        Mz is what is predicted where the network gives Mz over M0, with M0 taken as 1; Mxy is where it gives its
        magnitude.  The other one is 0, and the notes say that it was not predicted.
        """
        found = self.predict(timeline, tissue.flatten(), strict)
        values = found.signals.to(dtype).reshape(*tissue.batch_shape, -1)
        silent = torch.zeros_like(values)
        along = self.surrogate.quantity == "mz_over_m0"
        offsets, remarks = offsets_ppm(timeline, tissue)
        return Signal(
            mz=values if along else silent,
            mxy=torch.complex(silent if along else values, silent),
            time=first_times(timeline),
            measurement=torch.arange(offsets.size).numpy(),
            offset_ppm=offsets,
            notes=(_GIVEN[along].format(self.name, self.record["sha256_weights"][:12]), *found.notes, *remarks),
        ), found

    def _predict(self, timeline: Timeline, tissue: Tissue) -> tuple[Tensor, Tensor]:
        """Features in their units and signals."""
        features = self.surrogate.features(timeline, tissue)
        first = next(self.network.parameters())
        given = scaled(features, self.inputs).to(first.device, first.dtype)
        return features, self.surrogate.predict(self.network, given).to(features.device)


_GIVEN = {
    True: "The network '{}' (weights {}) predicted Mz over M0, which stands as Mz; Mxy was not predicted and is 0.",
    False: "The network '{}' (weights {}) predicted the magnitude of Mxy; Mz was not predicted and is 0.",
}
