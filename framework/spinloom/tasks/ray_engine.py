"""Chunks of a set made by the workers of a Ray cluster, each with one processor; this process alone writes them.

A chunk whose worker dies is made again by another one.  Chunks come back in the order in which they are done, and no
more of them are under way than the cluster can work at, so that memory stays bounded.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

import torch

from spinloom.tasks.chunks import Chunk, ChunkMaker, Order
from spinloom.tasks.ray_cluster import raised, ray_cluster

_TRIES = 5
"""How often a chunk is begun anew when the worker that makes it dies."""


def make_on_ray(maker: ChunkMaker, orders: Iterable[Order], cluster: str | None = None) -> Iterator[Chunk]:
    """The chunks made by the cluster at the address `cluster`, or else by that of `RAY_ADDRESS`, or by this machine.

    Raises `ConfigurationError` where Ray is not installed or the cluster cannot be reached, what the simulator raised,
    and `OutputError` where the workers of one chunk die again and again.
    """
    with ray_cluster(cluster) as ray:
        content = ray.put(pickle.dumps(maker))
        resources = {"num_gpus": 1} if str(maker.settings.get("device")).startswith("cuda") else {}
        task = ray.remote(num_cpus=1, max_retries=_TRIES, **resources)(_make)
        left = iter(orders)
        abreast = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        pending = [task.remote(content, order) for order in islice(left, abreast)]
        while pending:
            (ready,), pending = ray.wait(pending, num_returns=1)
            try:
                chunk = ray.get(ready)
            except Exception as error:
                raise raised(ray, error, _TRIES) from error
            pending += [task.remote(content, order) for order in islice(left, 1)]
            yield chunk


def _make(content: bytes, order: Order) -> Chunk:
    """A chunk, made in a worker; many share its machine, so that each keeps to one thread."""
    torch.set_num_threads(1)
    return _unpacked(content).make(order)


@lru_cache(maxsize=1)
def _unpacked(content: bytes) -> ChunkMaker:
    """What makes the chunks, built once in each worker."""
    maker: ChunkMaker = pickle.loads(content)
    return maker
