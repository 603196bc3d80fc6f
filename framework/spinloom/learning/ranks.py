"""Several processes that train one network together: this one leads, and starts the others for the length of a block.

Lightning Fabric finds the processes in the environment; all of them make the same batches, and each takes its part.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any

import torch

from spinloom.errors import SpinloomError

_RANK, _HOST, _PORT = "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"

_END = 30.0
"""Longest time that the others may take to end once the block has [s]."""


class RankError(SpinloomError):
    """A process that was to train along and died."""


def is_one_of_several() -> bool:
    """Whether this process trains together with others."""
    return _RANK in os.environ


@contextmanager
def led_by_this(devices: int, work: Callable[..., object], *arguments: Any) -> Iterator[None]:
    """Run `work(*arguments)` in `devices - 1` processes of their own, of which this one is the first during the block.

    work: a function of a module, with arguments that can be pickled

    Raises `RankError` where one of the others dies.
    """
    if devices == 1:
        yield
        return
    port = _free_port()
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(target=_follow, args=(_variables(rank, port), work, arguments), daemon=True)
        for rank in range(1, devices)
    ]
    for process in others:
        process.start()
    try:
        with _environment(_variables(0, port)):
            yield
    except RuntimeError as error:
        dead = {rank: p.exitcode for rank, p in enumerate(others, 1) if _ended_badly(p)}
        if dead:
            said = ", ".join(f"process {rank} with exit code {code}" for rank, code in dead.items())
            raise RankError(
                f"Of {devices} processes that trained together died {said}; the last checkpoint is whole. Give the "
                "same command again, and training goes on from there."
            ) from error
        raise
    finally:
        _end(others)


def _follow(variables: Mapping[str, str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """What another process does: it works along, says nothing, and ends when the first one does."""
    os.environ.update(variables)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    try:
        work(*arguments)
    except BaseException:  # the first process meets the same, and tells of it
        os._exit(1)


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _end(others: list[Any]) -> None:
    """Leave the group and see the others out."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    failed = sys.exc_info()[0] is not None
    for process in others:
        process.join(0 if failed else _END)
        if process.is_alive():
            process.terminate()
            process.join()


def _ended_badly(process: Any) -> bool:
    process.join(1)
    return process.exitcode not in (None, 0)


def _variables(rank: int, port: int) -> dict[str, str]:
    return {_RANK: str(rank), _HOST: "127.0.0.1", _PORT: str(port)}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
