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
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.chebyshev import Table, fitted
from spinloom.physics.imaging.few_terms import FewTerms
from spinloom.physics.imaging.pulse_cells import PulseCells, pulse_cells
from spinloom.physics.imaging.pulse_solver import affine_maps
from spinloom.physics.imaging.ranges import Range, range_of
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.matrix_exponential import matrix_exp
from spinloom.sequence.spatial_steps import SpatialPulse

SOLVED_AT_ONCE = 50_000
"""Matrices of 4 x 4 that one batched exponential holds: some 6 MB."""

DIRECT_SPINS = 512
"""So many spins or fewer are solved one by one."""

FEWEST_CELLS = 16

MARGIN = 1e-3
"""By which part of its size a number's range is widened where gradients are asked for, so that it is not empty."""


KEPT_OF_TERM, KEPT_OF_CELL = 64, 2048
"""Bytes that gradients keep for one spin: of a table's term its polynomials and products, of a cell some matrices."""


class PulseTable:
    """What a pulse does to isochromats, prepared for all of a phantom and evaluated for parts of it.

    rtol: largest error of the map's entries: a quarter for the cells, half for the interpolation, a quarter for who
        evaluates it with fewer terms

    direction, frequency: gradient during the pulse [Hz/m] `(3,)`, and the pulse's frequency [Hz]
    cells: how the pulse is sampled; steady: whether the gradient keeps its value
    table: the interpolation, None where every isochromat is solved for itself
    """

    def __init__(self, pulse: SpatialPulse, spins: Spins, rtol: float) -> None:
        span = np.abs(pulse.gradient - pulse.gradient[:1]).max()
        self.steady = bool(span <= 1e-6 * (1 + np.abs(pulse.gradient).max()))
        self.direction = torch.tensor(pulse.gradient[0] * self.steady)
        self.frequency, self.rtol = pulse.frequency, rtol
        box = self._box(spins)
        self.cells = _chosen_cells(pulse, box, None if self.steady else _corners(spins), rtol)
        self.table: Table | None = None
        if self.steady and spins.m0.numel() > DIRECT_SPINS:
            self.table = fitted(self._at_points, *box, rtol / 2, spins.m0.device)

    def __call__(self, spins: Spins) -> Tensor:
        """Rows of (U, s) for each isochromat, in the maps' dtype, shape `(3, 4, z, y, x)`; differentiable."""
        numbers = self._numbers(spins)
        if self.table is not None:
            entries = self._few_terms(numbers)
        else:
            entries = solve(self.cells, numbers, None if self.steady else _flat_places(spins))
        return entries.T.reshape(3, 4, *spins.m0.shape).to(spins.m0.dtype)

    def solved(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Entries for isochromats with `numbers` `(4, n)` at `places` `(3, n)`, without gradients, shape `(12, n)`."""
        return affine_maps(self.cells, numbers, None if self.steady else places, self.rtol / 100)

    @property
    def kept(self) -> int:
        """Bytes that gradients keep of the map of one spin."""
        return (
            KEPT_OF_CELL * self.cells.length.size if self.table is None else KEPT_OF_TERM * len(self._few_terms.degrees)
        )

    @cached_property
    def _few_terms(self) -> FewTerms:
        assert self.table is not None
        return FewTerms.of(self.table, self.rtol / 4)

    def _at_points(self, points: np.ndarray) -> np.ndarray:
        return affine_maps(self.cells, points, None, self.rtol / 100)

    def _box(self, spins: Spins) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest detuning [Hz] (without a gradient that varies), B1+, R1 and R2, shape `(4,)` each."""
        detuning = range_of(spins.b0) + place_range(spins, self.direction) + Range(-self.frequency, -self.frequency)
        ranges = (detuning, *map(range_of, (spins.b1, spins.r1, spins.r2)))
        low, high = (np.array([getattr(found, end) for found in ranges]) for end in ("low", "high"))
        margin = np.where(high > low, 0.0, MARGIN * (1 + np.abs(low))) * spins.differentiable
        return low - margin, high + margin

    def _numbers(self, spins: Spins) -> Tensor:
        """Detuning [Hz] (without a gradient that varies), B1+, R1 and R2 of each isochromat, `(4, isochromats)`."""
        detuning = spins.b0.double() + (place_along(spins, self.direction) - self.frequency)
        return torch.stack([value.double().reshape(-1) for value in (detuning, spins.b1, spins.r1, spins.r2)])


def place_along(spins: Spins, direction: Tensor) -> Tensor:
    """Scalar product of each isochromat's place with `direction` `(3,)`, shape `(z, y, x)`."""
    z, y, x = (axis @ direction.to(axis.device) for axis in spins.axes)
    return z[:, None, None] + y[:, None] + x


def place_range(spins: Spins, direction: Tensor) -> Range:
    """Between which values the scalar product of the isochromats' places with `direction` `(3,)` lies."""
    z, y, x = (range_of(axis @ direction.to(axis.device)) for axis in spins.axes)
    return z + y + x


def _flat_places(spins: Spins) -> Tensor:
    basis = torch.eye(3, dtype=torch.float64, device=spins.m0.device)
    return torch.stack([place_along(spins, direction).reshape(-1) for direction in basis])


def _corners(spins: Spins) -> np.ndarray:
    """The corners of the box that holds all isochromats, shape `(3, 8)`."""
    ends = [(found.low, found.high) for found in (place_range(spins, axis) for axis in torch.eye(3).double())]
    return np.stack(np.meshgrid(*ends, indexing="ij")).reshape(3, -1)


def _chosen_cells(
    pulse: SpatialPulse, box: tuple[np.ndarray, np.ndarray], corners: np.ndarray | None, tolerance: float
) -> PulseCells:
    """The coarsest cells whose refinement by half changes the map of extreme spins by at most `tolerance`.

    What remains is a quarter of that, for the error falls with the fourth power of the cells' length.
    """
    exact = pulse_cells(pulse, None)
    if pulse.durations.size <= FEWEST_CELLS:
        return exact
    low, high = box
    probe = np.stack([low, high, (low + high) / 2, *(np.where(np.arange(4) == n, low, high) for n in (0, 1))], axis=1)
    places = None
    if corners is not None:
        places, probe = np.repeat(corners, probe.shape[1], axis=1), np.tile(probe, corners.shape[1])
    coarse: np.ndarray | None = None
    count = FEWEST_CELLS
    while count < pulse.durations.size:
        cells = pulse_cells(pulse, count)
        fine = affine_maps(cells, probe, places)
        if coarse is not None and np.abs(fine - coarse).max() <= tolerance:
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
