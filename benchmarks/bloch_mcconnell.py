"""Bloch-McConnell simulation: time a signal, and error, with BMCTool beside it in the same run.

    python benchmarks/bloch_mcconnell.py [--quick] [--limit SECONDS] [--spin-lock FILE.seq]

Everything runs on one core: thread pools are limited before anything is imported.  Processor time is counted, not the
clock, so that other work on the machine matters little.  Spinloom's error is the largest difference of Mz from every
sample of the file solved by the readable engine; BMCTool's is against the same, with its own timing and sampling, on
one tissue, in a process of its own that is ended after the limit (`pip install bmctool`; without it its column says
so).  FILE.seq is MRF_CEST_3T_002_13SL_DC50_2500ms_LArginine.seq of the public pulseq-cest-library, thirteen spin locks
an image.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
import yaml  # noqa: E402

import spinloom  # noqa: E402
from spinloom.errors import TissueError  # noqa: E402
from spinloom.tissue.numbers import number  # noqa: E402

PEER = """
import logging, sys, time
import numpy as np
logging.disable(logging.CRITICAL)
from bmctool.simulation.simulate import simulate
start = time.process_time()
done = simulate(sys.argv[1], sys.argv[2])
seconds = time.process_time() - start
np.savetxt(sys.argv[3], done.get_zspec(return_abs=False)[1])
print("seconds", seconds)
"""


@dataclass(frozen=True)
class Work:
    """A piece of work: a sequence on a batch of a shipped tissue whose parameters spread by ten per cent."""

    name: str
    sequence: str
    tissue: str
    batch: int
    b0: float | None = None  # T, where the tissue's own is another


WORKS = (
    Work("seven-pool spectrum, 34 offsets x 36 shaped pulses", "aptw_3t_36pulses", "wm_3t_7pool", 1000),
    Work("the same, one tissue", "aptw_3t_36pulses", "wm_3t_7pool", 1),
    Work("seven-pool spectrum, 34 offsets, one block pulse each", "aptw_3t_block", "wm_3t_7pool", 1000),
    Work("two-pool fingerprint, 30 continuous-wave images", "mrf_larginine_9p4t", "larginine_phantom_9p4t", 100_000),
)


def main() -> None:
    """Print a line for each piece of work."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="a twentieth of each batch")
    arguments.add_argument("--limit", type=float, default=120, help="time limit of BMCTool for one tissue [s]")
    arguments.add_argument("--spin-lock", metavar="FILE.seq", help="two-pool fingerprint of spin locks to add")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"
    )
    print(f"{'work':56} {'batch':>7} {'a signal':>11} {'error':>8}   BMCTool, one tissue: time, error, ratio")
    for work in (*WORKS, spin_locks(options.spin_lock)) if options.spin_lock else WORKS:
        measure(work, max(1, work.batch // 20) if options.quick else work.batch, options.limit)


def spin_locks(path: str) -> Work:
    """Fingerprints of thirteen spin locks an image."""
    return Work("two-pool fingerprint, 30 images x 13 spin locks", path, "larginine_phantom_9p4t", 10_000, b0=3.0)


def measure(work: Work, batch: int, limit: float) -> None:
    """Print the line of `work`."""
    timeline, single = spinloom.read_sequence(work.sequence), spinloom.read_tissue(work.tissue).flatten()
    if work.b0 is not None:
        single = replace(single, b0=torch.full_like(single.b0, work.b0))
    spread = torch.linspace(0.9, 1.1, batch, dtype=torch.float64)
    tissue = single.map(lambda values: values * spread)
    if batch == 1:
        run: Callable[[], object] = lambda: spinloom.solve_pools(  # noqa: E731
            spinloom.read_sequence(work.sequence), single, rtol=1e-5
        )
    else:
        run = lambda: spinloom.solve_pools(timeline, tissue, rtol=1e-5)  # noqa: E731
    seconds = fastest(run, 1 if batch > 10_000 else 3) / batch
    exact = spinloom.solve_pools(timeline, single, cells="all", engine="readable").mz[0]
    error = float((spinloom.solve_pools(timeline, single, rtol=1e-5).mz[0] - exact).abs().max())
    peer = run_peer(work, exact.numpy(), limit, seconds)
    print(f"{work.name:56} {batch:7} {seconds * 1e3:8.3f} ms {error:8.1e}   {peer}", flush=True)


def fastest(run: Callable[[], object], repetitions: int) -> float:
    """Processor time of the fastest of some runs, after one that compiles [s]."""
    run()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def run_peer(work: Work, exact: np.ndarray, limit: float, ours: float) -> str:
    """BMCTool's time, error and ratio on one tissue, or why there is none."""
    root = files("spinloom")
    with tempfile.TemporaryDirectory() as folder:
        model = yaml.safe_load((root / "conf" / "tissue" / f"{work.tissue}.yaml").read_text())
        model["b0"] = work.b0 or model["b0"]
        plain = Path(folder) / "model.yaml"
        plain.write_text(yaml.safe_dump(numbers(model)))
        result = Path(folder) / "mz.txt"
        call = [sys.executable, "-c", PEER, str(plain), spinloom.read_sequence(work.sequence).source, str(result)]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return f"over {limit:.0f} s"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["failed"])[-1][:90]
        seconds = float(done.stdout.split("seconds")[-1])
        error = np.abs(np.loadtxt(result) - exact).max()
    return f"{seconds:8.2f} s  {error:8.1e}  {seconds / ours:,.0f}"


def numbers(node: object) -> object:
    """A pool model with fractions such as `15 / 111` worked out, as the peer wants it."""
    if isinstance(node, dict):
        return {key: numbers(value) for key, value in node.items()}
    try:
        return number(node, "the model") if isinstance(node, str) else node
    except TissueError:
        return node


if __name__ == "__main__":
    main()
