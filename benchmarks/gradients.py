"""Processor time of a gradient of the signal with respect to every number of a tissue, beside that of the signal.

    python benchmarks/gradients.py [--tissues N] [--cells N] [--threads N]

The train of 36 pulses of `aptw_3t_36pulses` is played on several tissues by the readable engine, which is the one that
has gradients: once without, and once with the gradient of a loss (the sum of Mz squared) with respect to all
parameters of all tissues.  The median of three counts; the first run is not counted.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

import spinloom
from spinloom import Timeline, Tissue


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    timeline = spinloom.read_sequence("aptw_3t_36pulses")
    print(
        f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}, {arguments.cells} cells a pulse"
    )
    print("| tissue | numbers | signal [s] | signal and gradient [s] | ratio | peak memory [MB] |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in ("water_3t", "creatine_phantom_3t", "wm_3t_stanisz2005_mt", "wm_3t_7pool"):
        tissue = batch(spinloom.read_tissue(name), arguments.tissues)
        plain = median(partial(signal, timeline, tissue, arguments.cells))
        both = median(partial(gradient, timeline, tissue, arguments.cells))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        count = len(asking(tissue)[1])
        print(
            f"| {name} x {arguments.tissues} | {count} | {plain:.2f} | {both:.2f} | {both / plain:.1f} | {peak:.0f} |"
        )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tissues", type=int, default=4)
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def signal(timeline: Timeline, tissue: Tissue, cells: int) -> torch.Tensor:
    """Mz of every tissue at every offset."""
    return spinloom.solve_pools(timeline, tissue, cells=cells, engine="readable").mz


def gradient(timeline: Timeline, tissue: Tissue, cells: int) -> tuple[torch.Tensor, ...]:
    """Gradient of the sum of Mz squared with respect to every number."""
    subject, numbers = asking(tissue)
    return torch.autograd.grad(signal(timeline, subject, cells).square().sum(), numbers)


def batch(tissue: Tissue, count: int) -> Tissue:
    """`count` tissues that differ by a percent, so that nothing is shared among them."""
    factors = 1 + 0.01 * torch.arange(count, dtype=torch.float64) / count
    return tissue.map(lambda values: values * factors)


def asking(tissue: Tissue) -> tuple[Tissue, list[torch.Tensor]]:
    """The tissue with gradients asked of every number, and these numbers."""
    numbers: list[torch.Tensor] = []

    def leaf(values: torch.Tensor) -> torch.Tensor:
        numbers.append(values.clone().requires_grad_())
        return numbers[-1]

    return tissue.map(leaf), numbers


def median(work: Callable[[], object], runs: int = 3) -> float:
    """Median processor time of some runs after one that is not counted [s]."""
    times = []
    for _ in range(runs + 1):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
