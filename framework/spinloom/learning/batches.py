"""Samples as a network takes them, and their order: shuffled by a seed, cut into batches of one length each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.interfaces import Input, Signal, Surrogate
from spinloom.learning.scaling import scaled
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples with one number of measurements, in single precision.

    scaled: features of which each input is scaled to 0 .. 1, shape `(samples, inputs)` or
        `(samples, measurements, inputs)`
    targets: what the network learns to give, shape `(samples, measurements)`
    """

    scaled: Tensor
    targets: Tensor

    def __len__(self) -> int:
        """Number of samples."""
        return self.targets.shape[0]

    def __getitem__(self, index: Tensor | slice) -> Samples:
        """Some of them."""
        return Samples(self.scaled[index], self.targets[index])

    @property
    def shape(self) -> tuple[int, ...]:
        """What samples that stand in one batch have in common: lengths of their scaled features and targets."""
        return (*self.scaled.shape[1:], *self.targets.shape[1:])

    def to(self, device: torch.device) -> Samples:
        """The samples on another device."""
        return Samples(self.scaled.to(device), self.targets.to(device))


def share(batch: Samples, rank: int, ranks: int) -> tuple[Samples, float]:
    """What process `rank` of `ranks` takes of a batch, and the weight of its mean in the mean over the processes.

    The weighted means average to the mean over the batch.  A batch with fewer samples than processes is taken whole
    by each.
    """
    if len(batch) < ranks:
        return batch, 1.0
    own = batch[rank::ranks]
    return own, len(own) * ranks / len(batch)


def make_samples(
    surrogate: Surrogate, inputs: Sequence[Input], timeline: Timeline, tissue: Tissue, signal: Signal
) -> Samples:
    """What `surrogate` learns of a flat batch of tissues and the exact signal of each."""
    with torch.no_grad():
        features = scaled(surrogate.features(timeline, tissue).double(), inputs)
        return Samples(features.float(), surrogate.targets(signal).float())


def joined(parts: Iterable[Samples]) -> list[Samples]:
    """The samples of `parts`, those of one shape together, in order of first appearance."""
    groups: dict[tuple[int, ...], list[Samples]] = {}
    for part in parts:
        groups.setdefault(part.shape, []).append(part)
    return [
        Samples(torch.cat([part.scaled for part in group]), torch.cat([part.targets for part in group]))
        for group in groups.values()
    ]


def shuffled_batches(groups: Sequence[Samples], size: int, generator: np.random.Generator) -> Iterator[Samples]:
    """Batches of at most `size` samples, the samples of each group and then the batches of all in random order."""
    cuts: list[tuple[int, Tensor]] = []
    for number, group in enumerate(groups):
        order = torch.from_numpy(generator.permutation(len(group)))
        cuts += [(number, part) for part in order.split(size)]
    for place in generator.permutation(len(cuts)):
        number, part = cuts[place]
        yield groups[number][part]
