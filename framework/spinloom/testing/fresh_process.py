"""Other processes for contracts: one spawned worker that all share, and what importing a module brings along."""

from __future__ import annotations

import atexit
import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from importlib import invalidate_caches
from typing import Any

import numpy as np
import torch

from spinloom import registry
from spinloom.testing.deviation import Deviation

HEAVY = ("hydra", "matplotlib", "mlflow", "numba", "pypulseq", "scipy", "torch")
"""Modules that take a tenth of a second and more to import."""

_PROBE = """
import json, sys, time
import spinloom.hookspecs
start = time.process_time()
__import__(sys.argv[1])
taken = time.process_time() - start
print(json.dumps([taken, sorted(name for name in sys.argv[2:] if name in sys.modules)]))
"""


@dataclass(frozen=True)
class Import:
    """What importing a module took [s of processor time], and which of `HEAVY` it brought along."""

    seconds: float
    heavy: tuple[str, ...]


def import_alone(module: str) -> Import:
    """Import `module` in a process of its own; `Deviation` with the end of its traceback where it cannot."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{_PROBE}", module, *HEAVY],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise Deviation(f"Importing '{module}' alone fails with '{reason}': no command would find the plugin.")
    seconds, heavy = json.loads(done.stdout.strip().splitlines()[-1])
    return Import(seconds, tuple(heavy))


def in_spawned_worker(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` returns in a spawned process, as sweeps and loaders of data start them.

    Raises `Deviation` where the worker dies; what the function raises passes.
    """
    try:
        return _worker().submit(_prepared, sys.path, function, arguments).result(timeout=300)
    except BrokenProcessPool as error:
        _worker.cache_clear()
        raise Deviation("The worker process died: a sweep of many jobs would hang or end without a word.") from error


@cache
def _worker() -> ProcessPoolExecutor:
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    atexit.register(pool.shutdown, cancel_futures=True)
    return pool


def _prepared(path: list[str], function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Runs in the worker: sees the modules and plugins that the parent sees now."""
    sys.path[:] = path
    invalidate_caches()
    registry.plugins.cache_clear()
    torch.set_num_threads(1)
    return function(*arguments)


def seed_everything(seed: int) -> None:
    """Seed torch's and numpy's generators."""
    torch.manual_seed(seed)
    np.random.seed(seed)
