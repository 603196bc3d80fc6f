"""The fast imaging engine on the CPU: columns of isochromats through the loops of `column_kernels`.

It plays what `playing` plays, where every readout is a line along one and the same axis of the grid.  Isochromats are
taken in blocks that fit the cache; tables of factors, pulses and node weights are made for each block.  It has no
gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.column_kernels import play_columns
from spinloom.physics.imaging.elementary import fill_decay, fill_free_factor
from spinloom.physics.imaging.plan import Plan, plan
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.readouts import Interpolation, moving_axes
from spinloom.physics.imaging.spins import Spins
from spinloom.physics.imaging.table_kernel import evaluate
from spinloom.sequence.spatial_steps import SpatialProgram

LANES = 512
"""Isochromats of a column that are played together: what the first-level cache holds."""

BLOCK = 2**14
"""Isochromats of a block, for which tables are made at once."""

_SOURCE = np.arange(12) % 4 == 3
"""Which entries of an affine map are its constant."""


@dataclass(frozen=True, eq=False)
class Block:
    """A part of the isochromats: `columns` of the line axis by `lanes` of the others."""

    columns: slice
    lanes: slice


def line_axis(program: SpatialProgram, spins: Spins) -> int | None:
    """The one axis (0, 1, 2 for z, y, x) along which all readouts move; None where they do not agree on one."""
    found = {moving_axes(readout, spins) for readout in program.readouts}
    axes = {axis for moving in found for axis in range(3) if moving[axis]}
    if any(sum(moving) > 1 for moving in found) or len(axes) > 1:
        return None
    return axes.pop() if axes else 2


class Columns:
    """Isochromats with the line axis first: maps of shape `(columns, lanes)`, places of each `(n, 3)`."""

    def __init__(self, spins: Spins, axis: int) -> None:
        def arranged(values: Tensor) -> np.ndarray:
            count = values.shape[-3:][axis]
            moved = values.detach().movedim(axis - 3, -3)
            array: np.ndarray = moved.reshape(*values.shape[:-3], count, -1).contiguous().numpy()
            return array

        maps = (spins.m0, spins.start, spins.r1, spins.r2, spins.b0, spins.b1)
        self.m0, self.start, self.r1, self.r2, self.b0, self.b1 = map(arranged, maps)
        self.coils = None if spins.coils is None else arranged(spins.coils)
        first, second = (spins.axes[other].numpy() for other in range(3) if other != axis)
        self.column_places = spins.axes[axis].numpy()
        self.lane_places = (first[:, None] + second).reshape(-1, 3)

    def blocks(self) -> Iterator[Block]:
        """Parts of about `BLOCK` isochromats and at most `LANES` lanes."""
        columns, lanes = self.m0.shape
        step = max(1, BLOCK // min(LANES, lanes))
        for lane in range(0, lanes, LANES):
            for column in range(0, columns, step):
                yield Block(slice(column, min(column + step, columns)), slice(lane, min(lane + LANES, lanes)))


def play_fast(
    program: SpatialProgram,
    spins: Spins,
    axis: int,
    interpolations: list[Interpolation],
    tables: list[PulseTable],
    threads: int,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Mean over all isochromats at every sample, complex, shape `(coils, samples)`."""
    grid, operations = Columns(spins, axis), plan(program, interpolations)
    coils = spins.coil_count
    sums = coils * max((len(nodes) for nodes in operations.sets), default=1)
    rows = np.zeros((grid.m0.shape[0], operations.readouts.size, sums, 2), dtype=grid.m0.dtype)
    lane_phases = _split(_turns(grid.lane_places, operations.phases[:, :3]))
    column_phases = np.exp(1j * operations.phases[:, 3:]) * _turns(grid.column_places, operations.phases[:, :3])
    column_parts = _pairs(column_phases).astype(grid.m0.dtype)

    def play(block: Block) -> np.ndarray:
        cut = _Cut(grid, block)
        out = np.zeros((cut.m0.shape[0], *rows.shape[1:]), dtype=rows.dtype)
        weights, sets = cut.weights(operations)
        play_columns(
            operations.kinds,
            operations.firsts,
            operations.seconds,
            cut.m0,
            cut.start,
            cut.turns(operations),
            *cut.recoveries(operations),
            cut.maps(tables),
            weights,
            sets,
            np.ascontiguousarray(lane_phases[:, :, block.lanes]).astype(rows.dtype),
            np.ascontiguousarray(column_parts[:, block.columns]),
            out,
        )
        return out

    blocks, done = list(grid.blocks()), 0
    with ThreadPoolExecutor(threads) as pool:
        for block, out in zip(blocks, pool.map(play, blocks), strict=True):
            rows[block.columns] += out
            done += (block.columns.stop - block.columns.start) * (block.lanes.stop - block.lanes.start)
            if progress is not None:
                progress(done, spins.count)
    return _transformed(rows, grid, program, operations, interpolations, coils) / spins.count


class _Cut:
    """The maps of one block, and the tables that its columns need."""

    def __init__(self, grid: Columns, block: Block) -> None:
        def cut(values: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(values[..., block.columns, block.lanes])

        maps = (grid.m0, grid.start, grid.r1, grid.r2, grid.b0, grid.b1)
        self.m0, self.start, self.r1, self.r2, self.b0, self.b1 = map(cut, maps)
        self.coils = None if grid.coils is None else cut(grid.coils)
        self.column_places, self.lane_places = grid.column_places[block.columns], grid.lane_places[block.lanes]

    def free_factor(self, time: float) -> np.ndarray:
        """Real and imaginary part of e^(L time), shape `(2, columns, lanes)`."""
        out = np.empty((2, *self.m0.shape), dtype=self.m0.dtype)
        fill_free_factor(out[0].reshape(-1), out[1].reshape(-1), self.b0.reshape(-1), self.r2.reshape(-1), time)
        return out

    def turns(self, operations: Plan) -> np.ndarray:
        """Whole factors, shape `(factors, columns, 2, lanes)`."""
        columns, lanes = self.m0.shape
        out = np.empty((len(operations.factors), columns, 2, lanes), dtype=self.m0.dtype)
        frees: dict[float, np.ndarray] = {}
        for number, (time, moment, turn) in enumerate(operations.factors):
            if time not in frees:
                frees[time] = self.free_factor(time)
            free = frees[time]
            if any(moment) or turn:
                k = np.array([moment])
                column = _turns(self.column_places, k)[0] * np.exp(1j * turn)
                phase = (column[:, None] * _turns(self.lane_places, k)[0]).astype(np.result_type(self.m0, 1j))
                out[number, :, 0] = free[0] * phase.real - free[1] * phase.imag
                out[number, :, 1] = free[0] * phase.imag + free[1] * phase.real
            else:
                out[number, :, 0], out[number, :, 1] = free
        return out

    def recoveries(self, operations: Plan) -> tuple[np.ndarray, np.ndarray]:
        """Decay of Mz and what it recovers, shapes `(recoveries, columns, lanes)`."""
        decays = np.empty((len(operations.recoveries), *self.m0.shape), dtype=self.m0.dtype)
        for number, time in enumerate(operations.recoveries):
            fill_decay(decays[number].reshape(-1), self.r1.reshape(-1), time)
        return decays, self.m0 * (1 - decays)

    def maps(self, tables: list[PulseTable]) -> np.ndarray:
        """Affine maps of the pulses, their constant times M0, shape `(pulses, columns, 12, lanes)`."""
        columns, lanes = self.m0.shape
        out = np.empty((len(tables), columns, 12, lanes), dtype=self.m0.dtype)
        for number, pulse in enumerate(tables):
            assert pulse.table is not None
            entries = np.empty((12, columns * lanes), dtype=self.m0.dtype)
            low, high, coefficients = (
                values.numpy().astype(self.m0.dtype)
                for values in (pulse.table.low, pulse.table.high, pulse.table.coefficients)
            )
            evaluate(self.numbers(pulse), low, high, coefficients, np.arange(12), self.m0.reshape(-1), _SOURCE, entries)
            out[number] = entries.reshape(12, columns, lanes).transpose(1, 0, 2)
        return out

    def numbers(self, pulse: PulseTable) -> np.ndarray:
        """Detuning [Hz], B1+, R1 and R2, shape `(4, isochromats)`."""
        column, lane = (places @ pulse.direction.numpy() for places in (self.column_places, self.lane_places))
        detuning = self.b0 + (column[:, None] + (lane - pulse.frequency))
        stacked = np.stack([detuning, self.b1, self.r1, self.r2]).reshape(4, -1)
        return stacked.astype(self.m0.dtype, copy=False)

    def weights(self, operations: Plan) -> tuple[np.ndarray, np.ndarray]:
        """Factors of node times and coils, `(weights, columns, 2, lanes)`, and where each set's lie, `(sets, 3)`."""
        rows: list[np.ndarray] = []
        sets = []
        for nodes in operations.sets:
            first = len(rows)
            for coil in range(1 if self.coils is None else self.coils.shape[0]):
                for node in nodes[1:] if self.coils is None else nodes:
                    factor = self.free_factor(node)
                    if self.coils is not None:
                        received = (factor[0] + 1j * factor[1]) * self.coils[coil]
                        factor = np.stack([received.real, received.imag])
                    rows.append(factor.transpose(1, 0, 2))
            sets.append((first, len(rows) - first, int(self.coils is None)))
        columns, lanes = self.m0.shape
        stacked = np.empty((len(rows), columns, 2, lanes), dtype=self.m0.dtype)
        for number, row in enumerate(rows):
            stacked[number] = row
        return stacked, np.array(sets, dtype=np.int64).reshape(-1, 3)


def _turns(places: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Phase factors of `moments` `(n, 3)` at `places` `(m, 3)`, shape `(n, m)`."""
    cycles = moments @ places.T
    turned: np.ndarray = np.exp(2j * np.pi * (cycles - np.rint(cycles)))
    return turned


def _split(values: np.ndarray) -> np.ndarray:
    """Real and imaginary rows, shape `(n, 2, m)`."""
    return np.stack([values.real, values.imag], axis=1)


def _pairs(values: np.ndarray) -> np.ndarray:
    """Real and imaginary parts last, shape `(n, m, 2)`."""
    return np.stack([values.real, values.imag], axis=-1)


def _transformed(
    rows: np.ndarray,
    grid: Columns,
    program: SpatialProgram,
    operations: Plan,
    interpolations: list[Interpolation],
    coils: int,
) -> Tensor:
    """Samples from the sums over lanes: one product a readout with the phases along the line axis."""
    dtype = torch.complex64 if rows.dtype == np.float32 else torch.complex128
    count = sum(program.readouts[number].times.size for number in operations.readouts)
    sums = torch.view_as_complex(torch.from_numpy(rows)).permute(1, 2, 0)
    out = torch.zeros(coils, count, dtype=dtype)
    ends = np.cumsum([program.readouts[number].times.size for number in operations.readouts])
    lacking = np.exp(1j * operations.missing[:, 3:]) * _turns(grid.column_places, operations.missing[:, :3])
    sums = sums * torch.from_numpy(lacking).to(dtype)[:, None, :]
    for number in np.unique(operations.readouts):
        readout, weights = program.readouts[number], interpolations[number].weights
        slots = np.flatnonzero(operations.readouts == number)
        nodes = interpolations[number].nodes.size
        phases = torch.from_numpy(_turns(grid.column_places, readout.moments).T).to(dtype)
        lines = (sums[slots, : coils * nodes].reshape(-1, phases.shape[0]) @ phases).reshape(
            len(slots), coils, nodes, -1
        )
        factors = torch.from_numpy((weights * readout.receiver[:, None]).T).to(dtype)
        samples = (lines * factors).sum(2)
        places = torch.from_numpy(ends[slots][:, None] - readout.times.size + np.arange(readout.times.size))
        out[:, places.reshape(-1)] = samples.permute(1, 0, 2).reshape(coils, -1)
    return out
