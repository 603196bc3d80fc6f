"""The one door to Ray: a cluster for the length of a block, and calls that its workers make."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from spinloom.errors import ConfigurationError, OutputError, SpinloomError

Result = TypeVar("Result")

_ANSWER = 5.0
"""Longest time that a cluster may take to answer [s]."""

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Ray sends no statistics, and leaves the variables of accelerators as they are."""


@contextmanager
def ray_cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected for the length of the block to the cluster at `address`, unless it is connected already.

    address: `HOST:PORT`; None is that of `RAY_ADDRESS`, or else a cluster of this machine's processors

    Raises `ConfigurationError` where Ray is not installed or the cluster cannot be reached.
    """
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


def call_on_ray(
    calls: Sequence[Callable[[], Result]], cluster: str | None, tries: int, resources: Mapping[str, float]
) -> list[Result | Exception]:
    """What each call returns or raises, in their order, all of them made by workers as there is room.

    tries: how often a call is made anew when its worker dies
    resources: `num_cpus` and `num_gpus` of a call
    """
    with ray_cluster(cluster) as ray:
        threads = max(1, int(resources.get("num_cpus", 1)))
        task = ray.remote(max_retries=tries, **resources)(_called)
        references = [task.remote(call, threads) for call in calls]
        return [_outcome(ray, reference, tries) for reference in references]


def raised(ray: Any, error: Exception, tries: int) -> Exception:
    """What `ray.get` raised, as what the call itself raised, or a sentence on its workers."""
    if isinstance(error, ray.exceptions.RayTaskError):
        return error.cause if isinstance(error.cause, SpinloomError) else error
    if isinstance(error, ray.exceptions.RayError):
        return OutputError(
            f"The workers of one task died {tries + 1} times ({' '.join(str(error).split())[:200]}). What others made "
            "is kept; if memory ran out, give each a smaller part, and give the same command again."
        )
    return error


def _outcome(ray: Any, reference: Any, tries: int) -> Any:
    try:
        return ray.get(reference)
    except Exception as error:
        return raised(ray, error, tries)


def _called(call: Callable[[], Result], threads: int) -> Result:
    """The call, made in a worker that keeps to its share of the machine."""
    torch.set_num_threads(threads)
    return call()


def _unusable(address: str | None, error: Exception) -> ConfigurationError:
    reason = " ".join(str(error).split())[:300].rstrip(".")
    return ConfigurationError(
        f"The Ray cluster {address or 'of this machine'} cannot be used: {reason}. Start one with `ray start --head`, "
        "and name it with cluster=HOST:6379."
    )
