"""Tissues in several fields under a sequence whose frequencies are parts of the field: each field is played apart.

Pulseq 1.5 may state frequencies and phases of RF in ppm of the Larmor frequency.  They are those of the scanner that
the tissue lies in, and must not depend on which other tissues share the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue


def fields_apart(timeline: Timeline, tissue: Tissue) -> list[Tensor]:
    """Numbers of the tissues of a flat batch that are played together, all of them where no RF depends on the field."""
    every = torch.arange(tissue.b0.numel(), device=tissue.b0.device)
    if not any(timeline.rf_table[name].any() for name in ("frequency_ppm", "phase_ppm")):
        return [every]
    _, field = torch.unique(tissue.larmor.detach(), return_inverse=True)
    return [every[field == number] for number in range(int(field.max()) + 1)]


def picked(tissue: Tissue, numbers: Tensor) -> Tissue:
    """Some tissues of a flat batch."""
    return tissue.map(lambda values: values[numbers])


def put_together(parts: list[Tensor], numbers: list[Tensor]) -> Tensor:
    """Rows of the `parts`, one a tissue, in the order of the tissues."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts)[torch.argsort(torch.cat(numbers))]
