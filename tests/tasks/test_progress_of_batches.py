"""The engine tells how far a batch is, chunk by chunk, and the last call says that all is done."""

from __future__ import annotations

import pytest
import torch

import spinloom
from spinloom.physics import engine


def test_progress_grows_to_the_whole_batch_and_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_chunk_size", lambda *_: 3)
    tissue = spinloom.read_tissue("larginine_phantom_9p4t").map(lambda values: values.expand(8))
    seen: list[tuple[int, int]] = []
    watched = spinloom.simulate(
        sequence="mrf_larginine_9p4t", tissue=tissue, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(3, 8), (6, 8), (8, 8)]
    assert torch.equal(watched.mz, spinloom.simulate(sequence="mrf_larginine_9p4t", tissue=tissue).mz)
