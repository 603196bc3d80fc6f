"""What users rely on in every surrogate, as a class to subclass: its name, a sequence and tissues it can stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spinloom.interfaces import Signal, Surrogate
from spinloom.learning.scaling import scaled
from spinloom.physics.engine import solve_pools
from spinloom.physics.offsets import offsets_ppm
from spinloom.registry import plugins
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.testing.deviation import Deviation, require
from spinloom.testing.network_checks import check_learning, check_loss, check_network, check_prediction
from spinloom.testing.once import once_a_class
from spinloom.testing.plugin_contract import PluginContract
from spinloom.testing.refusals import check_declaration
from spinloom.testing.surrogate_inputs import check_features, check_flags, check_inputs, check_lacking
from spinloom.testing.surrogate_keeping import check_kept
from spinloom.tissue.files import read_tissue
from spinloom.tissue.pools import Tissue

TISSUES = 6
"""Members of the batch that a contract works on."""


class SurrogateContract(PluginContract):
    """A surrogate keeps what its class promises.

    surrogate: its registered name
    sequence: one that it can stand for: a name, a path, a family such as `cest_train()`, or a timeline
    tissue: one within its valid range: a name or a tissue
    architecture: of a small network; without one, the defaults of its configuration
    """

    kind = "surrogate"
    group = "surrogate"
    surrogate: str
    sequence: str | Path | Timeline
    tissue: str | Path | Tissue
    architecture: Mapping[str, Any] = {}

    def built(self) -> Surrogate:
        """The surrogate under test, with the small architecture."""
        return plugins().surrogate(self.surrogate)(self._architecture())

    def test_it_declares_what_it_stands_for(self) -> None:
        """What it replaces and gives, what it needs, and inputs with a name, a unit and a range."""
        surrogate = self.built()
        check_declaration(self.surrogate, getattr(surrogate, "requirements", None))
        check_inputs(self.surrogate, surrogate)

    def test_without_what_it_needs_it_refuses_with_a_sentence(self) -> None:
        """Never a traceback, and never a guess."""
        check_lacking(self.surrogate, self.built(), self._timeline(), self._tissues())

    def test_features_are_the_numbers_of_sequence_and_tissue(self) -> None:
        """In the units of the inputs, one row a tissue, each its own, with gradients that are right."""
        check_features(self.surrogate, self.built(), self._timeline(), self._tissues())

    def test_numbers_out_of_range_are_flagged(self) -> None:
        """A tissue far from all training is named, not guessed at."""
        check_flags(self.surrogate, self.built(), self._timeline(), self._tissues())

    def test_fresh_weights_follow_the_seed(self) -> None:
        """The same seed draws the same network, another one another."""
        check_network(self.surrogate, self.built())

    def test_targets_are_one_number_a_measurement(self) -> None:
        """What it learns to give has one row a tissue and one column a measurement."""
        self._targets()

    def test_loss_is_a_mean_that_every_weight_feels(self) -> None:
        """A batch of any size trains alike, and no weight is left out."""
        check_loss(self.surrogate, self.built(), self._scaled(), self._targets())

    def test_a_prediction_is_its_tissues_alone(self) -> None:
        """Of the shape of the targets, finite, the same alone as in a batch, and twice the same."""
        check_prediction(self.surrogate, self.built(), self._scaled(), self._targets())

    def test_it_learns(self) -> None:
        """A few steps on one batch lower the loss."""
        check_learning(self.surrogate, self.built(), self._scaled(), self._targets())

    def test_saved_and_loaded_it_says_the_same(self) -> None:
        """What is kept is all of the network, here and in a spawned process."""
        check_kept(self.surrogate, self.built(), self._architecture(), self._timeline(), self._tissues())

    def _architecture(self) -> dict[str, Any]:
        try:
            return {**self.composed(), **self.architecture}
        except Deviation:  # is what another check reports
            return dict(self.architecture)

    def _timeline(self) -> Timeline:
        return _read(self.sequence)

    def _tissues(self) -> Tissue:
        """Copies of the tissue, relaxation times a little apart."""
        found = self.tissue if isinstance(self.tissue, Tissue) else read_tissue(self.tissue)
        tissue = found.flatten()[:1].map(lambda values: values.expand(TISSUES).clone())
        apart = torch.linspace(1.0, 1.04, TISSUES, dtype=tissue.b0.dtype)
        tissue.water.t1.mul_(apart)
        tissue.water.t2.mul_(apart.flip(0))
        return tissue

    def _scaled(self) -> Tensor:
        surrogate = self.built()
        return scaled(surrogate.features(self._timeline(), self._tissues()), surrogate.inputs).to(torch.float64)

    def _targets(self) -> Tensor:
        timeline, tissues = self._timeline(), self._tissues()
        targets = self.built().targets(_exact(type(self)))
        shape = (tissues.batch_shape.numel(), int((timeline.block_adc >= 0).sum()))
        require(
            tuple(targets.shape) == shape and bool(torch.isfinite(targets).all()),
            f"Surrogate '{self.surrogate}' learns targets of shape {tuple(targets.shape)} (or not finite) for "
            f"{shape[0]} tissues and {shape[1]} measurements: it would stand for another signal than the simulator's.",
        )
        return targets.to(torch.float64)


@once_a_class
def _exact(contract: type[Any]) -> Signal:
    """The exact signal of the tissues."""
    self: SurrogateContract = contract()
    timeline, tissues = self._timeline(), self._tissues()
    found = solve_pools(timeline, tissues, rtol=1e-3, engine="readable")  # the other one compiles at its first use
    offsets, notes = offsets_ppm(timeline, tissues)
    return Signal(found.mz, found.mxy, found.time, found.measurement, offsets, notes)


@cache
def _read(sequence: str | Path | Timeline) -> Timeline:
    return sequence if isinstance(sequence, Timeline) else read_sequence(sequence)
