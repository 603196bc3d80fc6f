"""Chunks of a set made by the workers of a Ray cluster, each with one processor; this process alone writes them.

A chunk whose worker dies is made again by another one.  Chunks come back in the order in which they are done, and no
more of them are under way than the cluster can work at, so that memory stays bounded.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

import torch

from spinloom.errors import ConfigurationError, OutputError, SpinloomError
from spinloom.tasks.chunks import Chunk, ChunkMaker, Order

_TRIES = 5
"""How often a chunk is begun anew when the worker that makes it dies."""

_ANSWER = 5.0
"""Longest time that a cluster may take to answer [s]."""

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_DEDUP_LOGS": "0"}
"""Ray sends no statistics, and leaves the variables of accelerators as they are."""


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
            chunk = _result(ray, ready)
            pending += [task.remote(content, order) for order in islice(left, 1)]
            yield chunk


@contextmanager
def ray_cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster for the length of the block, unless it is connected already."""
    require_cluster(address)
    import ray

    if ray.is_initialized():
        yield ray
        return
    options: Mapping[str, Any] = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unusable(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def require_cluster(address: str | None) -> None:
    """Raise `ConfigurationError` where Ray is not installed, or nothing answers at the `HOST:PORT` that is given.

    Ray itself would go on asking for minutes.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if importlib.util.find_spec("ray") is None:
        raise ConfigurationError("Ray is not installed; pip install 'spinloom[ray]' brings it.")
    host, _, port = str(address or os.environ.get("RAY_ADDRESS")).rpartition(":")
    if re.fullmatch(r"[\w.-]+", host) and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=_ANSWER).close()
        except (OSError, OverflowError) as error:
            raise _unusable(f"{host}:{port}", error) from error


def _unusable(address: str | None, error: Exception) -> ConfigurationError:
    reason = " ".join(str(error).split())[:300].rstrip(".")
    return ConfigurationError(
        f"The Ray cluster {address or 'of this machine'} cannot be used: {reason}. Start one with `ray start --head`, "
        "and name it with cluster=HOST:6379."
    )


def _result(ray: Any, reference: Any) -> Chunk:
    """The chunk behind a reference; raises what its maker raised."""
    try:
        chunk: Chunk = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SpinloomError):
            raise error.cause from None
        raise
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError) as error:
        raise OutputError(
            f"The workers that make one chunk died {_TRIES + 1} times ({' '.join(str(error).split())[:200]}). Chunks "
            "that are done are kept; take a smaller chunk if memory ran out, and give the same command again."
        ) from error
    return chunk


def _make(content: bytes, order: Order) -> Chunk:
    """A chunk, made in a worker; many share its machine, so that each keeps to one thread."""
    torch.set_num_threads(1)
    return _unpacked(content).make(order)


@lru_cache(maxsize=1)
def _unpacked(content: bytes) -> ChunkMaker:
    """What makes the chunks, built once in each worker."""
    maker: ChunkMaker = pickle.loads(content)
    return maker
