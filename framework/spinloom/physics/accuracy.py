"""Choose how finely pulses are sampled from the error that is asked for.

The number of cells doubles until the signal of a few tissues of the batch, at a few of its measurements (`probing`),
changes by no more than `rtol` (in units of the equilibrium magnetisation).  Sampling converges with fourth order, so
that the change is the error of the coarser one but for a fifteenth of it, and the coarser one is taken.  Below some
thirty cells the cells alias with the spectrum of the pulse and may agree by accident, so the search does not begin
there; how cells alias with the offset, see `sampling.enough_cells`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.tissue.pools import Tissue

FEWEST_CELLS = 32

SAFE = 0.5
"""Part of the error asked for that the measured one may be, for what is not probed adds to it."""

Play = Callable[[Tissue, int | None], tuple[Tensor, Tensor]]
"""Plays a flat batch of tissues with so many cells a pulse: Mz and complex Mxy, shapes `(batch, samples)`."""


@dataclass(frozen=True)
class Sampling:
    """How pulses are sampled, and what that costs in accuracy.

    cells: cells a pulse, or None where every segment of the file is solved to rounding
    error: largest change of the signal by twice as many cells; None where it was not measured
    every: whether so many cells are every segment of the file
    """

    cells: int | None
    error: float | None = None
    every: bool = False

    def sentence(self) -> str:
        """What was chosen, for the report."""
        if self.cells is None or self.every:
            return "Pulses are solved at every sample of the file."
        if self.error is None:
            return f"Pulses are sampled with {self.cells} cells at fourth order, as asked for."
        return (
            f"Pulses are sampled with {self.cells} cells or more at fourth order; "
            f"with twice as many the signal changes by {self.error:.1g} M0."
        )


def choose_sampling(play: Play, segments: int, probe: Tissue, rtol: float) -> Sampling:
    """The coarsest sampling of which twice as many cells change the signal by at most `rtol`.

    segments: of the pulse that has most; so many cells or more would join nothing
    probe: tissues to try, a flat batch in float64
    """
    coarse: Tensor | None = None
    cells = FEWEST_CELLS
    while cells < segments:
        fine = torch.view_as_real(torch.stack(play(probe, cells)).to(torch.complex128))
        error = math.inf if coarse is None else float((fine - coarse).abs().max())
        if error <= SAFE * rtol:
            return Sampling(cells // 2, error)
        coarse, cells = fine, 2 * cells
    return Sampling(segments, every=True)
