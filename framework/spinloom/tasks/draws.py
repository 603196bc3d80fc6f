"""Fresh draws of what a configuration asks for: tissues and sequences, simulated part by part, none of them twice.

Draws depend on the seed, the purpose, the round (such as an epoch), the sequence and the first sample alone.  Those of
different purposes never meet, nor those of a signal set of the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from spinloom.errors import ConfigurationError
from spinloom.interfaces import Signal, Simulator
from spinloom.learning.set_tissues import tissues_of
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.tasks.protocols import protocols
from spinloom.tissue.batches import TissuePlan, plan_batch
from spinloom.tissue.pools import Tissue

_SEEDS = 2**32
"""Seeds between those of two parts."""

TRAINING, EVALUATION = 1, 2
"""Purposes of draws; a signal set has none."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some tissues under one sequence.

    tissue: flat batch
    columns: the numbers that vary, by address, shape `(tissues,)`
    """

    timeline: Timeline
    tissue: Tissue
    columns: Mapping[str, np.ndarray]

    def simulated(self, simulator: Simulator) -> Signal:
        """The exact signal."""
        signal = simulator.simulate(self.timeline, self.tissue)
        if not isinstance(signal, Signal):
            raise ConfigurationError("The simulator gives no signal of tissues; choose one such as simulator=cest.")
        return signal


@dataclass(frozen=True)
class Draws:
    """What a configuration asks for.

    config: with `sequence`, `protocols`, `field`, `tissue`, `samples` (of each sequence), `seed`
    purpose: `TRAINING` or `EVALUATION`
    size: tissues of a part, at most
    """

    config: Mapping[str, Any]
    purpose: int
    size: int

    @cached_property
    def sequences(self) -> tuple[Timeline, ...]:
        """What the sequences play."""
        if self.config.get("sequence") is None:
            raise ConfigurationError("'sequence' is not given; add sequence=NAME_OR_PATH.")
        return tuple(read_sequence(source) for source in protocols(self.config))

    @cached_property
    def plan(self) -> TissuePlan:
        """The tissues, not yet built."""
        if self.config.get("tissue") is None:
            raise ConfigurationError("'tissue' is not given; add tissue=NAME, its numbers as ranges to vary them.")
        return plan_batch(self.config["tissue"], self.config["names"]["tissue"], self.config["samples"])

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.sequences) * self.plan.tissues

    @property
    def parts(self) -> int:
        """Number of parts."""
        return len(self.sequences) * self._each

    def part(self, number: int, round_: int = 0) -> Part:
        """The part `number` of a round; grids, lists and tables are the same in each."""
        sequence, place = divmod(number, self._each)
        first = place * self.size
        last = min(first + self.size, self.plan.tissues)
        if self.only_drawn:
            columns = self._drawn(last - first, (round_, sequence, first))
        else:
            columns = {address: values[first:last] for address, values in self._columns.items()}
        tissue = tissues_of(self.plan, columns, self.sequences[sequence], self.config["field"]).flatten()
        return Part(self.sequences[sequence], tissue, columns)

    @property
    def only_drawn(self) -> bool:
        """Whether all that varies is drawn, so that every round differs."""
        return bool(self.plan.draws) and len(self.plan.axes) == 1

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return self.plan.columns(self._seed((0, 0, 0)))

    def _drawn(self, count: int, place: tuple[int, int, int]) -> dict[str, np.ndarray]:
        seed = self._seed(place)
        return {address: draw.values(count, seed, address) for address, draw in self.plan.draws.items()}

    def _seed(self, place: tuple[int, int, int]) -> int:
        seed = self.purpose * _SEEDS + int(self.config["seed"])
        for number in place:
            seed = seed * _SEEDS + number
        return seed

    @property
    def _each(self) -> int:
        return -(-self.plan.tissues // self.size)
