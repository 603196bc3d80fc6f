"""What a pulse does to each isochromat: an affine map of its magnetisation, relaxation and gradient included.

    M(after) = U M(before) + m0 s,    d/dt (M, m0) = A(t) (M, m0)

        | -R2    -D    -w_y    0  |
    A = |  D     -R2    w_x    0  |,    D = 2 pi (dB0 + G r - f),   w = 2 pi B1+ nutation
        |  w_y   -w_x  -R1    R1  |
        |  0      0     0     0   |

Cells are solved by the Magnus expansion to fourth order.  The map depends on four numbers of a spin: its detuning D,
B1+, R1 and R2.  Where the gradient keeps its value during the pulse, which is the rule, the map is interpolated between
Chebyshev nodes in those of the four that vary, as many as the error asked for needs; else every spin is solved.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.chebyshev import Table, fitted
from spinloom.physics.imaging.pulse_cells import PulseCells, pulse_cells
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.matrix_exponential import matrix_exp
from spinloom.sequence.spatial_steps import SpatialPulse

SOLVED_AT_ONCE = 50_000
"""Matrices of 4 x 4 that one batched exponential holds: some 6 MB."""

DIRECT_SPINS = 512
"""So many spins or fewer are solved one by one."""

FEWEST_CELLS = 16


class PulseTable:
    """What a pulse does to isochromats, prepared for all of a phantom and evaluated for parts of it.

    rtol: largest error of the map's entries

    direction, frequency: gradient during the pulse [Hz/m] `(3,)`, and the pulse's frequency [Hz]
    table: the interpolation, None where every isochromat is solved for itself
    """

    def __init__(self, pulse: SpatialPulse, spins: Spins, rtol: float) -> None:
        span = np.abs(pulse.gradient - pulse.gradient[:1]).max()
        self._steady = bool(span <= 1e-6 * (1 + np.abs(pulse.gradient).max()))
        self.direction = torch.tensor(pulse.gradient[0] * self._steady)
        self.frequency = pulse.frequency
        numbers = self._numbers(spins)
        self._cells = _chosen_cells(pulse, numbers, spins, self._steady, rtol / 4)
        self.table: Table | None = None
        if self._steady and numbers.shape[1] > DIRECT_SPINS:
            self.table = fitted(lambda points: solve(self._cells, points), numbers, rtol / 4)

    def __call__(self, spins: Spins) -> Tensor:
        """Rows of (U, s) for each isochromat, in the maps' dtype, shape `(3, 4, z, y, x)`; differentiable."""
        numbers = self._numbers(spins)
        if self.table is not None:
            entries = self.table(numbers)
        else:
            entries = solve(self._cells, numbers, None if self._steady else _flat_places(spins))
        return entries.T.reshape(3, 4, *spins.m0.shape).to(spins.m0.dtype)

    def _numbers(self, spins: Spins) -> Tensor:
        """Detuning [Hz] (without a gradient that varies), B1+, R1 and R2 of each isochromat, `(4, isochromats)`."""
        detuning = spins.b0.double() + (place_along(spins, self.direction) - self.frequency)
        return torch.stack([value.double().reshape(-1) for value in (detuning, spins.b1, spins.r1, spins.r2)])


def place_along(spins: Spins, direction: Tensor) -> Tensor:
    """Scalar product of each isochromat's place with `direction` `(3,)`, shape `(z, y, x)`."""
    z, y, x = (axis @ direction.to(axis.device) for axis in spins.axes)
    return z[:, None, None] + y[:, None] + x


def _flat_places(spins: Spins) -> Tensor:
    basis = torch.eye(3, dtype=torch.float64, device=spins.m0.device)
    return torch.stack([place_along(spins, direction).reshape(-1) for direction in basis])


def _chosen_cells(pulse: SpatialPulse, numbers: Tensor, spins: Spins, steady: bool, tolerance: float) -> PulseCells:
    """The coarsest cells whose refinement by half changes the map of extreme spins by at most `tolerance`."""
    exact = pulse_cells(pulse, None)
    if pulse.durations.size <= FEWEST_CELLS:
        return exact
    picked = torch.cat([numbers.detach().argmin(1), numbers.detach().argmax(1)])
    probe, places = numbers.detach()[:, picked], _flat_places(spins)[:, picked]
    coarse: Tensor | None = None
    count = FEWEST_CELLS
    while count < pulse.durations.size:
        cells = pulse_cells(pulse, count)
        fine = solve(cells, probe, None if steady else places)
        if coarse is not None and float((fine - coarse).abs().max()) <= tolerance:
            return cells
        coarse, count = fine, count * 3 // 2
    return exact


def solve(cells: PulseCells, numbers: Tensor, places: Tensor | None = None) -> Tensor:
    """Entries of the map for spins with `numbers` (detuning [Hz], B1+, R1, R2), `(4, spins)`; shape `(spins, 12)`.

    places: `(3, spins)` where the detuning does not hold the gradient yet
    """
    most = max(1, SOLVED_AT_ONCE // max(1, min(cells.length.size, 64)))
    parts = [
        _solve_part(
            cells, numbers[:, first : first + most], None if places is None else places[:, first : first + most]
        )
        for first in range(0, numbers.shape[1], most)
    ]
    return torch.cat(parts)


def _solve_part(cells: PulseCells, numbers: Tensor, places: Tensor | None) -> Tensor:
    total = torch.eye(4, dtype=numbers.dtype, device=numbers.device).expand(numbers.shape[1], 4, 4)
    for first in range(0, cells.length.size, 64):
        part = slice(first, first + 64)
        length = torch.tensor(cells.length[part], device=numbers.device)[:, None, None, None]
        zeroth = length * _generator(numbers, cells.mean[part], cells.gradient[part], places, still=True)
        if not cells.constant:
            slope = length * _generator(numbers, cells.slope[part], cells.gradient_slope[part], places, still=False)
            zeroth = zeroth + slope @ zeroth - zeroth @ slope
        for exponential in matrix_exp(zeroth):
            total = exponential @ total
    return total[:, :3].reshape(-1, 12)


def _generator(numbers: Tensor, rf: np.ndarray, gradient: np.ndarray, places: Tensor | None, still: bool) -> Tensor:
    """A of each cell and spin, shape `(cells, spins, 4, 4)`; without what is constant in time where not `still`."""
    detuning, b1, r1, r2 = numbers
    envelope = 2 * math.pi * torch.tensor(rf, device=numbers.device)[:, None] * b1
    turn = 2 * math.pi * detuning.expand_as(envelope.real) if still else torch.zeros_like(envelope.real)
    if places is not None:
        turn = turn + 2 * math.pi * torch.tensor(gradient, device=numbers.device) @ places
    decay1, decay2 = (rate.expand_as(turn) * still for rate in (r1, r2))
    nothing = torch.zeros_like(turn)
    rows = [
        [-decay2, -turn, -envelope.imag, nothing],
        [turn, -decay2, envelope.real, nothing],
        [envelope.imag, -envelope.real, -decay1, decay1],
        [nothing, nothing, nothing, nothing],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
