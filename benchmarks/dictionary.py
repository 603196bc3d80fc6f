"""The dictionary of L-arginine phantoms, 665,873 tissues of two pools at 30 measurements: time and memory.

    python benchmarks/dictionary.py [--threads N]

The grid is that of `experiment=larginine_dictionary`; signals stay in memory.  What is compiled and read, is so before.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from dataclasses import replace

import torch

import spinloom

WATER_T1 = torch.linspace(2.5, 3.3, 17, dtype=torch.float64)  # s
WATER_T2 = torch.linspace(0.6, 1.2, 13, dtype=torch.float64)  # s
EXCHANGE = torch.linspace(100, 1400, 131, dtype=torch.float64)  # 1/s
CONCENTRATION = torch.linspace(10, 120, 23, dtype=torch.float64)  # mM, of three protons against the 110 M of water


def main() -> None:
    """Print wall and processor time, peak memory and tissues a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    timeline, tissue = spinloom.read_sequence("mrf_larginine_9p4t"), dictionary()
    spinloom.solve_pools(timeline, tissue[:16], rtol=1e-5)
    wall, processor = time.perf_counter(), time.process_time()
    mz = spinloom.solve_pools(timeline, tissue, rtol=1e-5).mz
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, {threads} threads")
    print(f"{len(mz):,} x {mz.shape[1]}: {wall:.1f} s, {processor:.1f} s of processors, peak memory {memory:,.0f} MB")
    print(f"{len(mz) / processor:,.0f} signals a second and core")


def dictionary() -> spinloom.Tissue:
    """Every combination of the four numbers, as a flat batch."""
    t1, t2, k, concentration = torch.cartesian_prod(WATER_T1, WATER_T2, EXCHANGE, CONCENTRATION).unbind(1)
    single = spinloom.read_tissue("larginine_phantom_9p4t").flatten()
    batch = single.map(lambda values: values.expand(len(t1)))
    (arginine,) = batch.exchanging
    arginine = replace(arginine, k=k, f=3e-3 * concentration / 110)
    return replace(batch, water=replace(batch.water, t1=t1, t2=t2), exchanging=(arginine,))


if __name__ == "__main__":
    main()
