"""The chunks of a set of signals: which tissues each holds, and their simulation, the same wherever it happens.

Draws of a chunk depend on the seed, the protocol and its first tissue alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from spinloom.interfaces import Signal, Simulator
from spinloom.learning.set_tissues import tissues_of
from spinloom.learning.set_writer import Description
from spinloom.sequence.timeline import Timeline
from spinloom.tasks.simulate import build_simulator
from spinloom.tissue.batches import TissuePlan
from spinloom.tissue.pools import Tissue
from spinloom.tracking import TrackingSettings, at_work

_SEEDS = 2**32
"""Seeds that lie between those of two protocols: more chunks than any set has."""


@dataclass(frozen=True, eq=False)
class Order:
    """A chunk to be made.

    number, protocol: of the chunk and of its protocol within the set
    columns: the numbers that vary, by address, shape `(samples,)`
    """

    number: int
    protocol: int
    columns: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Chunk:
    """A chunk that is made.

    mz, mxy: first sample of each measurement, shape `(samples, measurements)`
    seconds: spent simulating [s]
    """

    order: Order
    mz: np.ndarray
    mxy: np.ndarray
    seconds: float

    def __len__(self) -> int:
        """Number of samples."""
        return self.mz.shape[0]


@dataclass(frozen=True, eq=False)
class ChunkMaker:
    """Simulates chunks; it can be sent to another process, which then builds the simulator for itself.

    settings: of the simulator
    plan: of the tissues
    timelines: of the protocols
    field: whose static field holds, of `tissue` and `sequence`
    store: that a reference to a trained model means
    """

    settings: Mapping[str, Any]
    plan: TissuePlan
    timelines: tuple[Timeline, ...]
    field: str
    store: TrackingSettings

    def make(self, order: Order) -> Chunk:
        """Simulate a chunk."""
        return self.simulate(order, self.tissue(order))

    def tissue(self, order: Order) -> Tissue:
        """The tissues of a chunk."""
        return tissues_of(self.plan, order.columns, self.timelines[order.protocol], self.field)

    def simulate(self, order: Order, tissue: Tissue) -> Chunk:
        """A chunk whose tissues are there."""
        timeline = self.timelines[order.protocol]
        start = time.perf_counter()
        signal = self._simulator.simulate(timeline, tissue)
        seconds = time.perf_counter() - start
        assert isinstance(signal, Signal)
        first = torch.from_numpy(signal.first_samples())
        return Chunk(order, _array(signal.mz[..., first]), _array(signal.mxy[..., first]), seconds)

    @cached_property
    def _simulator(self) -> Simulator:
        with at_work(self.store):
            return build_simulator(self.settings)


def chunk_orders(description: Description, plan: TissuePlan, seed: int, numbers: Iterable[int]) -> Iterator[Order]:
    """The chunks `numbers` of a set, their tissues drawn, one after the other."""
    chunks = description.chunks
    grid = None if plan.draws and len(plan.axes) == 1 else plan.columns(seed)
    for number in numbers:
        protocol, tissues = chunks[number]
        if grid is None:
            own = (seed * _SEEDS + protocol) * _SEEDS + tissues.start
            columns = drawn(plan, tissues.stop - tissues.start, own)
        else:
            columns = {address: values[tissues] for address, values in grid.items()}
        yield Order(number, protocol, columns)


def drawn(plan: TissuePlan, count: int, seed: int) -> dict[str, np.ndarray]:
    """So many draws of what `plan` draws, by address."""
    return {address: draw.values(count, seed, address) for address, draw in plan.draws.items()}


def make_here(maker: ChunkMaker, orders: Iterable[Order]) -> Iterator[Chunk]:
    """The chunks made by this process, one after the other; tissues of the next are built while one is simulated."""
    left = iter(orders)

    def prepared() -> tuple[Order, Tissue] | None:
        order = next(left, None)
        return None if order is None else (order, maker.tissue(order))

    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(prepared).result()
        while ready is not None:
            after = pool.submit(prepared)
            yield maker.simulate(*ready)
            ready = after.result()


def _array(values: torch.Tensor) -> np.ndarray:
    plain: np.ndarray = values.detach().cpu().numpy()
    return plain
