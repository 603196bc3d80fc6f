"""Where a network's samples come from: parts of a set on disk, or parts that a simulator makes afresh each epoch.

Order and draws depend on the seed, the epoch and the place within it alone, never on what ran before, so that a
training that was interrupted goes on with the very batch that comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol

import numpy as np

from spinloom.learning.batches import Samples, joined, shuffled_batches

VALIDATION = 2**32 - 1
"""Stands in for the number of an epoch where samples are drawn to validate."""


class Parts(Protocol):
    """Samples in chunks, which fit into memory one by one.

    chunks, samples: how many there are
    lasting: whether every epoch has the same samples
    """

    @property
    def chunks(self) -> int: ...

    @property
    def samples(self) -> int: ...

    @property
    def lasting(self) -> bool: ...

    def training(self, epoch: int, chunk: int) -> Samples:
        """Samples of a chunk to train on in an epoch."""
        ...

    def validating(self, chunk: int) -> Samples:
        """Samples of a chunk that no epoch trains on."""
        ...


@dataclass(frozen=True)
class FreshParts:
    """Samples that are made when they are asked for: `make(epoch, chunk)`, with `VALIDATION` for the epoch of some."""

    chunks: int
    samples: int
    make: Callable[[int, int], Samples]
    lasting = False

    def training(self, epoch: int, chunk: int) -> Samples:
        """Fresh samples in every epoch."""
        return self.make(epoch, chunk)

    def validating(self, chunk: int) -> Samples:
        """Samples of an epoch of their own."""
        return self.make(VALIDATION, chunk)


@dataclass(frozen=True)
class Source:
    """Shuffled batches of samples, in bounded memory.

    Chunks come in random order and fill a buffer; a full buffer is shuffled and cut into batches, so that a batch
    mixes the samples of many chunks.  Lasting samples that all fit into the buffer are made once and kept.

    seed: of the order
    buffer: samples that are held at once, give or take a chunk
    validation: samples that validate at most, from as many chunks as it takes
    """

    parts: Parts
    seed: int
    buffer: int
    validation: int

    def batches(self, epoch: int, size: int, first: int = 0) -> Iterator[Samples]:
        """The batches of an epoch, from batch `first` on; each sample comes once."""
        return islice(self._batches(epoch, size), first, None)

    def validating(self) -> list[Samples]:
        """Samples that no epoch trains on, the same at every call; a group for each number of measurements."""
        return [group for group in joined(self._enough()) if len(group)]

    def _enough(self) -> Iterable[Samples]:
        left = self.validation
        for chunk in self._order(VALIDATION):
            if left <= 0:
                return
            samples = self.parts.validating(chunk)[:left]
            left -= len(samples)
            yield samples

    def _batches(self, epoch: int, size: int) -> Iterator[Samples]:
        generator = np.random.default_rng([self.seed, epoch, 1])
        if self.parts.lasting and self.parts.samples <= self.buffer:
            yield from shuffled_batches(self._kept, size, generator)
            return
        held: list[Samples] = []
        for chunk in self._order(epoch):
            held.append(self.parts.training(epoch, chunk))
            if sum(map(len, held)) >= self.buffer:
                yield from shuffled_batches(joined(held), size, generator)
                held = []
        yield from shuffled_batches(joined(held), size, generator)

    @cached_property
    def _kept(self) -> list[Samples]:
        return joined(self.parts.training(0, chunk) for chunk in range(self.parts.chunks))

    def _order(self, epoch: int) -> list[int]:
        order: list[int] = np.random.default_rng([self.seed, epoch]).permutation(self.parts.chunks).tolist()
        return order
