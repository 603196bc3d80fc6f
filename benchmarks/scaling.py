"""How time and memory of Bloch-McConnell simulation grow with tissues, pools, offsets, pulses and samples.

    python benchmarks/scaling.py [--figure FILE.svg]

Each point is a process of its own on one core that reads a file and solves one tissue, so that nothing is compiled or
read afterwards: processor time of the simulation, and by how much it raised the process's peak memory.  The base is the
family `cest_train` with its defaults (34 offsets, 36 pulses of 500 samples) on 100 seven-pool tissues; one number
varies at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import spinloom


@dataclass(frozen=True)
class Point:
    """One simulation: how many tissues, pools beside water, offsets, pulses before each, samples of a pulse."""

    tissues: int = 100
    pools: int = 6
    offsets: int = 34
    pulses: int = 36
    samples: int = 500


BASE = Point()
AXES = {
    "tissues": (1, 10, 100, 1000, 4000),
    "pools": (1, 2, 3, 4, 5, 6),
    "offsets": (6, 18, 34, 66, 130),
    "pulses": (1, 4, 12, 36, 108),
    "samples": (50, 150, 500, 1500, 5000),
}


def content(point: Point) -> bytes:
    """The file of `point`."""
    step = 4 / ((point.offsets - 2) // 2)
    numbers = {"pulses": point.pulses, "pulse_ms": point.samples / 10, "largest_ppm": 4, "step_ppm": step}
    return spinloom.build_sequence("cest_train", **numbers).content


def measure(point: Point, path: str) -> tuple[float, float]:
    """Processor time [s] and additional peak memory [MB] of simulating a file; call it in a process of its own."""
    import resource
    import time
    from dataclasses import replace as changed

    import torch

    torch.set_num_threads(1)
    sequence = spinloom.read_sequence(path)
    tissue = spinloom.read_tissue("wm_3t_7pool")
    semisolid = tissue.semisolid[: max(0, point.pools - len(tissue.exchanging))]
    tissue = changed(tissue, exchanging=tissue.exchanging[: point.pools], semisolid=semisolid)
    spread = torch.linspace(0.9, 1.1, point.tissues, dtype=torch.float64)
    tissue = tissue.map(lambda values: values.expand(point.tissues).clone())
    water = changed(tissue.water, t1=tissue.water.t1 * spread, t2=tissue.water.t2 / spread)
    tissue = changed(tissue, water=water)
    spinloom.solve_pools(sequence, tissue[:1], rtol=1e-5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    spinloom.solve_pools(sequence, tissue, rtol=1e-5)
    seconds = time.process_time() - start
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measured(point: Point) -> tuple[float, float]:
    """`measure` in a process of its own on one core."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.seq"
        path.write_bytes(content(point))
        asked = [sys.executable, __file__, "--point", json.dumps(asdict(point)), str(path)]
        done = subprocess.run(asked, capture_output=True, text=True, check=True, env=environment)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, megabytes


def draw(results: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Time and memory against each number, both on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    panels = figure.subplots(2, len(results), sharey="row")
    for column, (name, rows) in enumerate(results.items()):
        values = [row[0] for row in rows]
        panels[0, column].loglog(values, [row[1] for row in rows], "o-", color="#0b5394", markersize=4)
        panels[1, column].semilogx(values, [row[2] for row in rows], "o-", color="#d9730d", markersize=4)
        panels[1, column].set_xlabel(name)
        for axes in panels[:, column]:
            axes.set_xscale("log")
            axes.set_xticks(values, [f"{value:,}" for value in values], fontsize=8)
            axes.minorticks_off()
            axes.grid(color="#dfe3e8", linewidth=0.7)
    panels[0, 0].set_ylabel("processor time [s]")
    panels[1, 0].set_ylabel("additional memory [MB]")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Measure every point and print it; draw where a figure is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, help="picture to write")
    parser.add_argument("--point", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(json.dumps(measure(Point(**json.loads(arguments.point[0])), arguments.point[1])))
        return
    print(f"{platform.machine()}, Python {platform.python_version()}")
    print(f"{'varies':<10}{'value':>8}{'time [s]':>12}{'a tissue [ms]':>16}{'memory [MB]':>14}")
    results: dict[str, list[tuple[int, float, float]]] = {}
    for name, values in AXES.items():
        for value in values:
            point = replace(BASE, **{name: value})
            seconds, megabytes = measured(point)
            results.setdefault(name, []).append((value, seconds, megabytes))
            each = 1e3 * seconds / point.tissues
            print(f"{name:<10}{value:>8}{seconds:>12.4f}{each:>16.3f}{megabytes:>14.1f}", flush=True)
    if arguments.figure:
        draw(results, arguments.figure)


if __name__ == "__main__":
    main()
