"""The fast imaging engine on the CPU: tiles of isochromats through the loops of `tile_kernel`.

It plays what `playing` plays.  Isochromats are taken in chunks of rows, for which phases are made at once, and these in
ranges of columns, which threads share.  Sums do not depend on the threads, because each range has places of its own to
write to and chunks follow each other.  It has no gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.arrangement import Arrangement
from spinloom.physics.imaging.elementary import halves
from spinloom.physics.imaging.expansion import Expansion
from spinloom.physics.imaging.lines import line_transform
from spinloom.physics.imaging.linking import linked, linked_segments
from spinloom.physics.imaging.phase_tables import phase_table
from spinloom.physics.imaging.plan import READ, Plan
from spinloom.physics.imaging.pulse_arrays import pulse_arrays, solved_maps
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.registers import lanes_of
from spinloom.physics.imaging.sampling import sampling
from spinloom.physics.imaging.tile import Phases, Spans, Weights, layout_of
from spinloom.physics.imaging.tile_kernel import play_tiles
from spinloom.sequence.spatial_steps import SpatialProgram

CHUNK = 2**20
"""Isochromats of a chunk, and phases of its rows for all moments together."""

TASKS = 16
"""Ranges of columns of a chunk, where it has so many registers of columns: what a thread takes at once."""

HEIGHT = 32
"""Rows of a tile, for which tables are filled at once."""


class Tiles:
    """A plan on a grid of isochromats, ready to be played.

    rtol: largest error of the weights of a read by terms that it leaves out
    """

    def __init__(
        self,
        program: SpatialProgram,
        plan: Plan,
        grid: Arrangement,
        expansion: Expansion,
        tables: list[PulseTable],
        rtol: float,
    ) -> None:
        self._program, self._plan, self._grid, self._tables = program, plan, grid, tables
        dtype = self._dtype = grid.maps.m0.dtype
        coils, lanes = len(grid.maps.coils) // 2, lanes_of(dtype)
        reach = np.abs(grid.rows).max(axis=0) + np.abs(grid.columns).max(axis=0)
        one_by_one = sampling(program, plan, reach)
        self._coefficients = [expansion.coefficients(readout.times) for readout in program.readouts]
        counts = np.array([expansion.needed(found, rtol) for found in self._coefficients], dtype=np.int64)
        self._weights = Weights(expansion.degrees, expansion.scale.astype(dtype))
        self._pulses = pulse_arrays(tables, plan, grid)
        factors = [*plan.factors, *((time, -1) for time in one_by_one.times)]
        self._spans = Spans(
            np.array([(*halves(time, dtype), phase) for time, phase in factors]).reshape(-1, 3),
            np.array(plan.recoveries, dtype=np.float64),
        )
        self._moments = np.concatenate([plan.phases[:, :3], one_by_one.moments, np.zeros((1, 3))])
        turns = np.concatenate([plan.phases[:, 3], np.zeros(len(one_by_one.moments) + 1)])
        self._columns = phase_table(grid.columns, self._moments, turns, dtype)
        samples = program.time.size if plan.sampled.size else 0
        self._layout = layout_of(HEIGHT, lanes, coils, samples, self._spans, self._pulses, self._weights)
        self._operations = linked(plan, one_by_one, self._layout, counts[plan.readouts], lanes, dtype)
        self._segments = linked_segments(plan, one_by_one, self._layout)
        self._slot_phases = np.full(plan.readouts.size, -1)
        reads = plan.operations[plan.operations[:, 0] == READ]
        self._slot_phases[reads[:, 1]] = reads[:, 2]
        groups = len(grid.columns) // lanes
        self._slots = (groups, plan.readouts.size, max(1, coils), len(expansion.degrees), 2, lanes)
        self._samples = (max(1, coils), samples)

    def play(self, threads: int, progress: Callable[[int, int], None] | None = None) -> Tensor:
        """Sum over all isochromats at every sample, complex, shape `(coils, samples)`."""
        chunks, ranges = list(self._chunks()), self._column_ranges()
        slots = np.zeros(self._slots, dtype=self._dtype if len(chunks) == 1 else np.float64)
        samples = np.zeros((len(ranges), *self._samples), dtype=np.complex128)
        done, spins = 0, self._grid.height * self._grid.width
        step = len(ranges) if threads == 1 and progress is None else 1
        tasks = [slice(first, first + step) for first in range(0, len(ranges), step)]
        with _workers(threads) as each:
            for rows in chunks:
                sums = slots if len(chunks) == 1 else np.zeros(self._slots, dtype=self._dtype)
                for columns in each(self._task(rows, ranges, sums, samples), tasks):
                    done += columns * (min(rows.stop, self._grid.height) - rows.start)
                    if progress is not None:
                        progress(done, spins)
                if sums is not slots:
                    slots += sums
        return self._signal(slots.astype(self._dtype, copy=False), samples.sum(axis=0))

    def _chunks(self) -> Iterator[slice]:
        rows, columns = self._grid.maps.m0.shape
        step = HEIGHT * max(1, min(CHUNK // columns, CHUNK // len(self._moments)) // HEIGHT)
        return (slice(first, min(first + step, rows)) for first in range(0, rows, step))

    def _column_ranges(self) -> np.ndarray:
        """Begins and ends of the columns that are summed for themselves, shape `(ranges, 2)`."""
        lanes, columns = lanes_of(self._dtype), len(self._grid.columns)
        begins = np.arange(0, columns, -(-columns // (lanes * TASKS)) * lanes)
        return np.stack([begins, np.append(begins[1:], columns)], axis=1)

    def _task(self, rows: slice, ranges: np.ndarray, slots: np.ndarray, samples: np.ndarray) -> Callable[[slice], int]:
        """What plays some ranges of columns of a chunk and returns how many columns there are."""
        phases = Phases(phase_table(self._grid.rows[rows], self._moments, 0.0, self._dtype), self._columns)
        pulses = self._pulses._replace(
            solved=solved_maps(self._tables, self._grid, rows),
            row_shifts=np.ascontiguousarray(self._pulses.row_shifts[:, rows]),
        )

        def task(which: slice) -> int:
            play_tiles(
                self._operations,
                self._grid.maps,
                self._layout,
                self._spans,
                phases,
                pulses,
                self._weights,
                self._segments,
                self._slot_phases,
                (rows.start, rows.stop),
                ranges[which],
                slots.reshape(len(slots), -1),
                samples[which].reshape(len(ranges[which]), -1).view(np.float64),
            )
            return int(min(ranges[which][-1, 1], self._grid.width) - ranges[which][0, 0])

        return task

    def _signal(self, slots: np.ndarray, taken: np.ndarray) -> Tensor:
        """The signal from the sums over rows and from those at single samples."""
        kind = torch.complex64 if self._dtype == np.float32 else torch.complex128
        out = torch.zeros(self._samples[0], self._program.time.size, dtype=kind)
        for number in np.unique(self._plan.readouts):
            self._put_lines(number, slots, out)
        plan = self._plan
        for number, first, turn in zip(plan.sampled, plan.sampled_first, plan.sampled_turns, strict=True):
            factor = self._program.readouts[number].receiver * np.exp(1j * turn)
            place = slice(first, first + factor.size)
            out[:, place] = torch.from_numpy(taken[:, place] * factor).to(kind)
        return out

    def _put_lines(self, number: int, slots: np.ndarray, out: Tensor) -> None:
        """Put the samples of all slots of readout `number` where they belong."""
        plan, readout = self._plan, self._program.readouts[number]
        which = np.flatnonzero(plan.readouts == number)
        transform = line_transform(readout, self._grid.columns[: self._grid.width], self._dtype)
        lines = transform(slots, which, self._coefficients[number] * readout.receiver)
        turns = torch.from_numpy(np.exp(1j * plan.turns[which])).to(lines.dtype)
        places = plan.first_samples[which, None] + np.arange(readout.times.size)
        out[:, places.reshape(-1)] = (lines * turns[:, None]).reshape(out.shape[0], -1)


@contextmanager
def _workers(threads: int) -> Iterator[Callable[[Callable[[slice], int], list[slice]], Iterator[int]]]:
    """`map` on so many threads; one is the caller's own."""
    if threads == 1:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool.map
