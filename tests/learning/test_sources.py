"""Batches: every sample once an epoch, in an order that the seed alone decides, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spinloom.learning.batches import Samples
from spinloom.learning.set_parts import validates
from spinloom.learning.sources import FreshParts, Source

CHUNKS, EACH = 7, 10


class NumberedParts:
    """Chunks of ten samples that carry their numbers; samples of even chunks have three measurements, others two."""

    chunks, samples, lasting = CHUNKS, CHUNKS * EACH, True

    def __init__(self) -> None:
        self.asked: list[int] = []

    def training(self, epoch: int, chunk: int) -> Samples:
        self.asked.append(chunk)
        return self._numbered(chunk)[2:]

    def validating(self, chunk: int) -> Samples:
        return self._numbered(chunk)[:2]

    def _numbered(self, chunk: int) -> Samples:
        numbers = torch.arange(chunk * EACH, (chunk + 1) * EACH, dtype=torch.float32)[:, None]
        return Samples(numbers, numbers.repeat(1, 2 + (chunk + 1) % 2))


def source(buffer: int, seed: int = 0) -> Source:
    return Source(NumberedParts(), seed, buffer, validation=1000)


def numbers(batches: list[Samples]) -> list[int]:
    return [int(number) for batch in batches for number in batch.scaled[:, 0]]


@pytest.mark.parametrize("buffer", [1, 15, 1000], ids=["chunk by chunk", "two chunks", "all at once"])
def test_each_sample_that_trains_comes_once_an_epoch_and_none_that_validates(buffer: int) -> None:
    trained = numbers(list(source(buffer).batches(0, 4)))
    validating = numbers(source(buffer).validating())
    assert sorted(trained + validating) == list(range(CHUNKS * EACH))


@pytest.mark.parametrize("buffer", [15, 1000], ids=["two chunks", "all at once"])
def test_order_follows_from_seed_and_epoch_alone(buffer: int) -> None:
    once, again = source(buffer), source(buffer)
    first = numbers(list(once.batches(0, 4)))
    second = numbers(list(once.batches(1, 4)))
    assert numbers(list(again.batches(1, 4))) == second  # though epoch 0 was not asked for
    assert first != second
    assert numbers(list(source(buffer, seed=1).batches(0, 4))) != first


@pytest.mark.parametrize("buffer", [15, 1000], ids=["two chunks", "all at once"])
def test_an_epoch_goes_on_with_the_batch_that_comes_next(buffer: int) -> None:
    whole = list(source(buffer).batches(3, 4))
    rest = list(source(buffer).batches(3, 4, first=5))
    assert numbers(rest) == numbers(whole[5:])


def test_a_batch_holds_samples_of_one_length_and_mixes_chunks() -> None:
    batches = list(source(1000).batches(0, 8))
    assert {batch.targets.shape[1] for batch in batches} == {2, 3}
    assert any(len({number // EACH for number in numbers([batch])}) > 1 for batch in batches)


def test_no_more_than_the_buffer_and_a_chunk_is_read_ahead() -> None:
    parts = NumberedParts()
    next(iter(Source(parts, 0, 20, 10).batches(0, 4)))
    assert len(parts.asked) == 3  # three chunks of eight that train are the first to hold twenty


def test_what_fits_into_the_buffer_is_read_once() -> None:
    parts = NumberedParts()
    kept = Source(parts, 0, 1000, 10)
    for epoch in range(3):
        list(kept.batches(epoch, 4))
    assert len(parts.asked) == CHUNKS


def test_no_more_samples_validate_than_asked_for() -> None:
    assert sum(map(len, Source(NumberedParts(), 0, 1000, 5).validating())) == 5


def test_fresh_samples_differ_from_epoch_to_epoch_and_from_those_that_validate() -> None:
    asked: list[tuple[int, int]] = []

    def make(epoch: int, chunk: int) -> Samples:
        asked.append((epoch, chunk))
        return Samples(torch.zeros(4, 1), torch.zeros(4, 2))

    fresh = Source(FreshParts(2, 8, make), 0, 1000, 100)
    for epoch in range(2):
        list(fresh.batches(epoch, 4))
    fresh.validating()
    assert len(set(asked)) == len(asked) == 6


def test_the_share_that_validates_is_kept_wherever_a_set_is_cut() -> None:
    every = np.arange(100_000, dtype=np.uint64)
    mask = validates(every, 0.1)
    # five standard deviations of a binomial of 1e5 draws with p = 0.1
    assert abs(float(mask.double().mean()) - 0.1) < 5 * (0.1 * 0.9 / 1e5) ** 0.5
    assert torch.equal(torch.cat([validates(part, 0.1) for part in np.array_split(every, 7)]), mask)
    assert bool((validates(every, 0.05) <= mask).all())  # a smaller share is part of a larger one
