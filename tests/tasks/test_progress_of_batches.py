"""The engine tells how far a batch is, chunk by chunk, and the last call says that all is done."""

from __future__ import annotations

import pytest
import torch

import spinloom
from spinloom.physics import players


def test_progress_grows_to_the_whole_batch_and_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    tissue = spinloom.read_tissue("larginine_phantom_9p4t").map(lambda values: values.expand(8))
    seen: list[tuple[int, int]] = []
    alone = spinloom.simulate(sequence="mrf_larginine_9p4t", tissue=tissue)
    monkeypatch.setattr(players, "CACHED", 1)  # so little memory that each tissue is a chunk of its own
    watched = spinloom.simulate(
        sequence="mrf_larginine_9p4t", tissue=tissue, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 8) for done in range(1, 9)]
    assert torch.equal(watched.mz, alone.mz)
