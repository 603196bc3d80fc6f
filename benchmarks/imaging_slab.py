"""An EPI slab in 3-D: memory and time, for `benchmarks/imaging.py`, which runs this in a process of its own.

    python benchmarks/imaging_slab.py VOXELS THREADS

An ellipsoid on a grid of VOXELS a side under 16 partitions of 128 lines, each after an excitation of 20 degrees.
Prints seconds by the clock, processor seconds, and the largest memory of the process [GB].
"""

from __future__ import annotations

import math
import resource
import sys
import tempfile
import time
from pathlib import Path

import pypulseq as pp
import torch

import spinloom
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.tissue.phantom import Phantom

PARTITIONS, LINES, FOV, SLAB, DWELL = 16, 128, 0.22, 0.1, 2.5e-6


def write_slab(path: Path) -> None:
    """Partitions of an EPI, phase-encoded along z."""
    system = pp.Opts(max_grad=200, grad_unit="mT/m", max_slew=900, slew_unit="T/m/s")
    sequence, step = pp.Sequence(system), 1 / FOV
    pulse = pp.make_block_pulse(math.radians(20), duration=2e-4, system=system, use="excitation")
    line = pp.make_trapezoid("x", flat_area=LINES * step, flat_time=LINES * DWELL, system=system)
    adc = pp.make_adc(LINES, dwell=DWELL, delay=line.rise_time, system=system)
    blip = pp.make_trapezoid("y", area=step, duration=1e-4, system=system)
    for partition in range(PARTITIONS):
        areas = {"x": -line.area / 2, "y": -LINES / 2 * step, "z": (partition - PARTITIONS / 2 + 0.25) / SLAB}
        sequence.add_block(pulse)
        sequence.add_block(
            *(pp.make_trapezoid(axis, area=area, duration=1e-3, system=system) for axis, area in areas.items())
        )
        for number in range(LINES):
            sequence.add_block(pp.scale_grad(line, (-1) ** number), adc)
            sequence.add_block(blip)
        sequence.add_block(pp.make_trapezoid("z", area=8000, duration=3e-3, system=system))
    sequence.write(str(path))


def ellipsoid(side: int) -> Phantom:
    """Field, transmit field and T2 that vary slowly, within an ellipsoid that fills half of the grid."""
    z, y, x = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 3, indexing="ij")
    inside = (x**2 + y**2 + z**2 < 1).float()
    return Phantom("ellipsoid", (FOV, FOV, SLAB), inside, torch.ones_like(x), 0.05 + 0.02 * x, 100 * x * y, 1 + 0.2 * z)


def main() -> None:
    """Simulate and print."""
    side, threads = map(int, sys.argv[1:])
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        write_slab(Path(folder) / "slab.seq")
        timeline = spinloom.read_sequence(Path(folder) / "slab.seq")
    solve_phantom(timeline, ellipsoid(16))  # compiles
    phantom = ellipsoid(side)
    clock, processor = time.perf_counter(), time.process_time()
    solve_phantom(timeline, phantom)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(clock, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


if __name__ == "__main__":
    main()
