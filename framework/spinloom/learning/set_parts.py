"""The samples of a signal set as a network takes them: its tissues rebuilt from its numbers, its sequences read again.

A sample validates where a hash of its number within the set falls below the share that shall, whatever the seed, the
order and the chunks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import OutputError
from spinloom.interfaces import Input, Signal, Surrogate
from spinloom.learning.batches import Samples, make_samples
from spinloom.learning.set_tissues import tissues_of
from spinloom.learning.signal_set import SignalPart, SignalSet
from spinloom.physics.offsets import offsets_ppm
from spinloom.sequence.lowering import lower
from spinloom.sequence.text import parse_text
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.batches import TABLE, TissuePlan
from spinloom.tissue.pools import Tissue

_TIMELINES = 4096
"""Sequences of a set that are kept as timelines once they have been read."""


@dataclass(frozen=True)
class SetParts:
    """What `surrogate` learns from a set on disk.

    inputs: of the network, with the ranges that scale them
    share: of the samples that validate, from 0 to 1
    """

    signals: SignalSet
    surrogate: Surrogate
    inputs: Sequence[Input]
    share: float
    lasting = True

    @property
    def samples(self) -> int:
        """Samples of the set."""
        return len(self.signals)

    @property
    def chunks(self) -> int:
        """Chunks that the set was written in."""
        return len(self.signals.protocols) * self._chunks_each

    def training(self, epoch: int, chunk: int) -> Samples:
        """The same samples in every epoch."""
        return self._chosen(chunk, validating=False)

    def validating(self, chunk: int) -> Samples:
        """Samples of a chunk that no epoch trains on."""
        return self._chosen(chunk, validating=True)

    def _chosen(self, chunk: int, validating: bool) -> Samples:
        protocol, place = divmod(chunk, self._chunks_each)
        first = place * self._size
        tissues = slice(first, min(first + self._size, self.signals.tissues))
        part = self._read(protocol, tissues)
        timeline = timeline_of(self.signals, protocol)
        tissue = tissue_of(self.signals.attributes["config"], part.numbers, timeline)
        samples = make_samples(self.surrogate, self.inputs, timeline, tissue, signal_of(part, timeline, tissue))
        numbers = np.arange(tissues.start, tissues.stop, dtype=np.uint64) + np.uint64(protocol * self.signals.tissues)
        return samples[validates(numbers, self.share) == validating]

    def _read(self, protocol: int, tissues: slice) -> SignalPart:
        """A part of the set; `OutputError` where it is damaged or holds what is no number."""
        where = f"samples {tissues.start:,} to {tissues.stop - 1:,} of protocol {protocol} in {self.signals.path}"
        try:
            part = self.signals.part(protocol, tissues)
        except (ValueError, RuntimeError, OSError, KeyError) as error:
            raise OutputError(f"The {where} cannot be read ({error}); the set is damaged, make it anew.") from error
        for name, values in {**part.numbers, "mz": part.mz, "mxy": part.mxy}.items():
            if not bool(torch.isfinite(values).all()):
                raise OutputError(
                    f"The {where} hold a '{name}' that is no finite number; a network cannot learn from it. "
                    "Make the set anew from a tissue without it."
                )
        return part

    @property
    def _size(self) -> int:
        return int(self.signals.attributes["config"]["chunk"])

    @property
    def _chunks_each(self) -> int:
        return -(-self.signals.tissues // self._size)


def validates(numbers: np.ndarray, share: float) -> Tensor:
    """Which samples validate, by their numbers: a mask that is true for `share` of them.

    The hash is the finaliser of SplitMix64 (Steele, Lea and Flood 2014), uniform over 64 bits.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return torch.from_numpy(mixed.astype(np.float64) < share * 2.0**64)


def tissue_of(config: Mapping[str, Any], numbers: Mapping[str, Tensor], timeline: Timeline) -> Tissue:
    """The tissues of a part of a set, one axis of them, from the configuration of the set and the part's numbers."""
    fixed = {str(key): value for key, value in config["tissue"].items() if key != TABLE}
    columns = {address: values.numpy() for address, values in numbers.items()}
    plan = TissuePlan(config["names"]["tissue"], fixed, {}, columns, {}, {}, 1)
    return tissues_of(plan, columns, timeline, config["field"]).flatten()


def signal_of(part: SignalPart, timeline: Timeline, tissue: Tissue) -> Signal:
    """A part of a set as the signal that a simulator gave, of which the first sample of each measurement is kept."""
    offsets, _ = offsets_ppm(timeline, tissue)
    return Signal(part.mz, part.mxy, first_times(timeline), np.arange(offsets.size), offsets)


def first_times(timeline: Timeline) -> np.ndarray:
    """Time of the first sample of each ADC event [s], shape `(measurements,)`.

    The only sample of an event is a marker, taken at the event's begin.
    """
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    first = np.array([adc.delay if adc.samples == 1 else adc.sample_times()[0] for adc in timeline.adcs])
    return timeline.block_start[blocks] + first[timeline.block_adc[blocks]]


@lru_cache(maxsize=_TIMELINES)
def timeline_of(signals: SignalSet, protocol: int) -> Timeline:
    """What a protocol of a set plays."""
    name = list(signals.protocols)[protocol]
    return lower(parse_text(signals.protocols[name], f"{name}.seq"))
