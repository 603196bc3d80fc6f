"""The engine tells how far a batch is, chunk by chunk, and the last call says that all is done."""

from __future__ import annotations

import pytest
import torch

import spinloom
from spinloom.physics import players


def test_progress_grows_to_the_whole_batch_and_changes_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    tissue = spinloom.read_tissue("larginine_phantom_9p4t").map(lambda values: values.expand(8))
    seen: list[tuple[int, int]] = []
    alone = spinloom.simulate(sequence="mrf_larginine_9p4t", tissue=tissue)
    monkeypatch.setattr(players, "CACHED", 1)  # so little memory that each tissue is a chunk of its own
    watched = spinloom.simulate(
        sequence="mrf_larginine_9p4t", tissue=tissue, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 8) for done in range(1, 9)]
    # Tissues that are solved side by side share the squarings that the hardest of them needs: rounding differs.
    assert torch.allclose(watched.mz, alone.mz, rtol=0, atol=1e-12)
