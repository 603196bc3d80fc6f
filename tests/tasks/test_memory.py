"""A batch that memory cannot hold is refused before any work."""

from __future__ import annotations

import resource

import pytest
import torch

from spinloom.errors import ConfigurationError
from spinloom.free_memory import free_memory
from spinloom.tasks.memory import NUMBER_BYTES, SAMPLE_BYTES, refuse_beyond_memory


def test_free_memory_is_that_of_a_machine() -> None:
    free = free_memory()
    assert free is not None
    assert 10**7 < free < 10**15


def test_a_batch_of_what_is_free_passes_and_one_of_twice_that_is_refused_with_what_fits() -> None:
    each = 30 * SAMPLE_BYTES + 20 * NUMBER_BYTES
    free = free_memory()
    assert free is not None
    refuse_beyond_memory(free // each // 2, 30, 20)
    with pytest.raises(ConfigurationError, match=r"tissues with 30 samples .* GB are free; about [\d,]+ tissues fit"):
        refuse_beyond_memory(2 * free // each, 30, 20)


def test_isochromats_count_as_tissues() -> None:
    free = free_memory()
    assert free is not None
    tissues = free // (SAMPLE_BYTES + NUMBER_BYTES) // 2
    refuse_beyond_memory(tissues, 1, 1)
    with pytest.raises(ConfigurationError):
        refuse_beyond_memory(tissues, 1, 1, spins=100)


def test_the_estimate_is_not_below_what_a_batch_takes() -> None:
    """A signal of a hundred megabytes, made as the engine makes it, beside what the estimate says."""
    tissues, samples = 100_000, 40
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts = [torch.ones(tissues // 10, samples, dtype=torch.complex128) for _ in range(10)]
    joined = torch.cat(parts)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert joined.numel() == tissues * samples
    assert grown < tissues * samples * SAMPLE_BYTES
