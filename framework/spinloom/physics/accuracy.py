"""Choose how finely pulses are sampled from the error that is asked for.

The number of cells grows by half until the signal of a few tissues of the batch no longer changes by more than
`rtol` (in units of the equilibrium magnetisation).  Sampling converges with fourth order, so that the last change is
some four times the error that remains: the estimate is on the safe side.  Below some thirty cells the cells alias
with the offset and may agree by accident, so the search does not begin there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.physics.players import Player
from spinloom.tissue.pools import Tissue

FEWEST_CELLS = 32
PROBED_TISSUES = 4


@dataclass(frozen=True)
class Sampling:
    """How pulses are sampled, and what that costs in accuracy.

    cells: cells a pulse, or None where every segment of the file is solved
    error: largest change of the signal against two thirds as many cells; None where it was not measured
    """

    cells: int | None
    error: float | None

    def sentence(self) -> str:
        """What was chosen, for the report."""
        if self.cells is None:
            return "Pulses are solved at every sample of the file."
        if self.error is None:
            return f"Pulses are sampled with {self.cells} cells at fourth order, as asked for."
        return (
            f"Pulses are sampled with {self.cells} cells at fourth order; "
            f"against two thirds as many the signal changes by {self.error:.1g} M0."
        )


def choose_sampling(player: Player, segments: int, tissue: Tissue, rtol: float) -> Sampling:
    """The coarsest sampling whose last refinement changed the signal by at most `rtol`.

    player: plays tissues with so many cells a pulse
    segments: of the pulse that has most; so many cells or more would join nothing
    tissue: flat batch in float64; up to `PROBED_TISSUES` of it, evenly spread, are tried
    """
    probe = _spread(tissue)
    coarse: Tensor | None = None
    cells = FEWEST_CELLS
    while cells < segments:
        mz, mxy = player(probe, cells)
        fine = torch.stack([mz, mxy.real, mxy.imag])
        if coarse is not None:
            error = float((fine - coarse).abs().max())
            if error <= rtol:
                return Sampling(cells, error)
        coarse, cells = fine, cells * 3 // 2
    return Sampling(None, None)


def _spread(tissue: Tissue) -> Tissue:
    count = int(tissue.batch_shape.numel())
    picked = torch.linspace(0, count - 1, min(count, PROBED_TISSUES)).round().long()
    return tissue.map(lambda values: values.detach()[picked.to(values.device)])
