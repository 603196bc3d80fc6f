"""Choose how finely pulses are sampled from the error that is asked for.

The number of cells is doubled until the signal of a few tissues of the batch no longer changes by more than `rtol`
(in units of the equilibrium magnetisation).  Sampling converges with fourth order, so that the last change is some
fifteen times the error that remains: the estimate is on the safe side.  Below some twenty cells the cells alias
with the offset and may agree by accident, so the search does not begin there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.physics.propagation import Propagators, play
from spinloom.sequence.steps import StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

FEWEST_CELLS = 32
PROBED_TISSUES = 4


@dataclass(frozen=True)
class Sampling:
    """How pulses are sampled, and what that costs in accuracy.

    cells: cells a pulse, or None where every segment of the file is solved
    error: largest change of the signal against half as many cells; None where it was not measured
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
            f"against half as many the signal changes by {self.error:.1g} M0."
        )


def choose_sampling(program: StepProgram, timeline: Timeline, tissue: Tissue, rtol: float) -> Sampling:
    """The coarsest sampling whose last refinement changed the signal by at most `rtol`.

    tissue: flat batch in float64; up to `PROBED_TISSUES` of it, evenly spread, are tried
    """
    segments = max((waveform.durations.size for waveform in timeline.waveforms), default=1)
    probe = _spread(tissue)
    coarse: Tensor | None = None
    cells = FEWEST_CELLS
    while cells < segments:
        fine = _signal(program, timeline, probe, cells)
        if coarse is not None:
            error = float((fine - coarse).abs().max())
            if error <= rtol:
                return Sampling(cells, error)
        coarse, cells = fine, 2 * cells
    return Sampling(None, None)


def _spread(tissue: Tissue) -> Tissue:
    count = int(tissue.batch_shape.numel())
    picked = torch.linspace(0, count - 1, min(count, PROBED_TISSUES)).round().long()
    return tissue.map(lambda values: values.detach()[picked.to(values.device)])


def _signal(program: StepProgram, timeline: Timeline, tissue: Tissue, cells: int) -> Tensor:
    mz, mxy = play(program, timeline, tissue, Propagators(timeline, tissue, cells), torch.float64)
    return torch.stack([mz, mxy.real, mxy.imag])
