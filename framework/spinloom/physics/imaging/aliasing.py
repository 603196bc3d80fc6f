"""Which coherences a grid of isochromats cannot hold, what they look like in the signal, and how many would do.

What a false echo adds to a sample is taken as its coherence's amplitude times what the grid, with the phantom's M0,
makes of the sample's moment: exact where the coherence is even over the phantom, and right in size elsewhere.  How many
isochromats would do follows from |k| d < 1/2, for all coherences whose false echoes would matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from spinloom.physics.imaging.coherence import Coherences, coherences
from spinloom.physics.imaging.few_spins import few_spins
from spinloom.physics.imaging.finer_grid import Moments, enough_isochromats
from spinloom.physics.imaging.phase_graph import Turns
from spinloom.physics.imaging.sampling_grid import SamplingGrid, grid_of, seen_by
from spinloom.physics.imaging.spins import Spins, spins_of
from spinloom.sequence.spatial_steps import SpatialProgram
from spinloom.tissue.phantom import Phantom

LIMIT = 1e-3
"""False echoes below this part of the largest signal do not matter."""

EXAMINED = 16
"""Coherences whose false echo is computed, after bounds have said which are the largest."""


@dataclass(frozen=True, slots=True)
class FalseEcho:
    """A coherence that the grid mistakes for one of another moment.

    turns: as in `Pathway`
    measurement, sample: ADC event, and sample of it (from 0), where it is largest
    moment: of that sample along x, y, z [cycles/m]
    size: in parts of the largest signal
    """

    turns: Turns
    measurement: int
    sample: int
    moment: tuple[float, float, float]
    size: float


@dataclass(frozen=True, slots=True)
class Aliasing:
    """The false echoes of a simulation, the largest first.

    grid: of isochromats; enough: a finer one that shows none, None where none of those tried does
    limit: below which, in parts of the largest signal, a false echo does not matter
    further: how many more coherences may alias, which were not examined
    stopped: whether only the first pulses of the sequence were followed
    """

    limit: float
    echoes: tuple[FalseEcho, ...]
    grid: SamplingGrid
    enough: SamplingGrid | None
    further: int
    stopped: bool


def aliasing(
    program: SpatialProgram, phantom: Phantom, dephasing: bool = True, limit: float = LIMIT, spins: Spins | None = None
) -> Aliasing:
    """Compare every coherence that a readout of `program` meets with the grid of `phantom`.

    dephasing: whether the spins of a single plane spread over its thickness
    limit: in parts of the largest signal, below which a false echo does not matter
    spins: of the phantom, where they are at hand
    """
    spins, grid = spins_of(phantom, dephasing) if spins is None else spins, grid_of(phantom, dephasing)
    met = coherences(program, few_spins(spins))
    moments = _moments(met, program)
    seen = seen_by(grid, moments.low, moments.high, moments.depth)
    if not seen.false.any():
        return Aliasing(limit, (), grid, grid, 0, met.stopped)
    look = _Look(met, program, spins, grid)
    signal = look.size(int((met.amplitudes * seen.true).argmax()), np.zeros(3), False)
    bounds = met.amplitudes * seen.false
    suspects = _strongest_of_each(np.flatnonzero(bounds > limit * signal), bounds, met.histories)
    found = [look.echo(one, seen.shifts[one], bool(seen.slab[one]), signal) for one in suspects[:EXAMINED].tolist()]
    echoes = tuple(sorted((echo for echo in found if echo.size > limit), key=lambda echo: -echo.size))
    if not echoes:
        return Aliasing(limit, (), grid, grid, 0, met.stopped)
    strong = moments.part(met.amplitudes > limit * signal / 2)
    sides = tuple((seen.shifts[suspects] != 0).any(axis=0).tolist())
    enough = enough_isochromats(grid, strong, limit * signal / 2, sides)
    return Aliasing(limit, echoes, grid, enough, max(0, suspects.size - EXAMINED), met.stopped)


def _moments(met: Coherences, program: SpatialProgram) -> Moments:
    low = np.array([readout.moments.min(axis=0) for readout in program.readouts]).reshape(-1, 3)
    high = np.array([readout.moments.max(axis=0) for readout in program.readouts]).reshape(-1, 3)
    at = met.moments
    return Moments(at + low[met.readouts], at + high[met.readouts], at[:, 2], met.amplitudes)


def _strongest_of_each(chosen: np.ndarray, size: np.ndarray, histories: np.ndarray) -> np.ndarray:
    """Of `chosen` the strongest one of each history, by size."""
    ordered = chosen[np.argsort(-size[chosen], kind="stable")]
    _, first = np.unique(histories[ordered], return_index=True)
    strongest: np.ndarray = ordered[np.sort(first)]
    return strongest


@dataclass(frozen=True, eq=False)
class _Look:
    """What single coherences add to the sample where they, or their false echoes, are largest."""

    met: Coherences
    program: SpatialProgram
    spins: Spins
    grid: SamplingGrid

    def echo(self, one: int, shift: np.ndarray, slab: bool, signal: float) -> FalseEcho:
        """The false echo of a coherence at `shift`, in parts of `signal`."""
        size, sample = self.size(one, shift, slab) / signal, self.sample(one, shift)
        x, y, z = self.moments(one)[sample].tolist()
        turns, measurement = self.met.graph.turns(int(self.met.histories[one])), int(self.met.measurements[one])
        first = int(np.searchsorted(self.program.measurement, measurement))
        return FalseEcho(turns, measurement, int(self.met.samples[one]) + sample - first, (x, y, z), size)

    def moments(self, one: int) -> np.ndarray:
        """Of the samples, shape `(samples, 3)`."""
        moments: np.ndarray = self.met.moments[one] + self.program.readouts[self.met.readouts[one]].moments
        return moments

    def sample(self, one: int, shift: np.ndarray) -> int:
        """The sample nearest to `shift`, in repetitions of the grid."""
        beside = self.moments(one) * self.grid.extents - shift * self.grid.counts
        return int((beside[:, : 2 if self.grid.plane else 3] ** 2).sum(axis=1).argmin())

    def size(self, one: int, shift: np.ndarray, slab: bool) -> float:
        """In parts of the mean M0."""
        moment, factor = self.moments(one)[self.sample(one, shift)], float(self.met.amplitudes[one])
        if slab:
            factor *= float(self.grid.slab_error(moment[2]))
            moment = moment * [1, 1, 0]
        z, y, x = self.spins.phases(torch.tensor(moment, device=self.spins.m0.device))
        m0 = self.spins.m0.detach()
        rows = torch.complex(*(m0 @ part.to(m0.dtype) for part in (x.real, x.imag))).to(x.dtype)
        return factor * abs(complex(z @ (rows @ y))) / float(m0.sum(dtype=torch.float64))
