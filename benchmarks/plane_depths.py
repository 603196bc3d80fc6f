"""What a single plane makes of crushers: its k-space against that of a volume of as many spins in each of many planes.

    python benchmarks/plane_depths.py [--spins 2 4] [--b1 0.8] [--cycles 1 2 3 ...] [--phantom brain]

A fast spin echo (128 x 128, 8 shots of 16 echoes) at a B1 that refocuses badly, with crushers of so many cycles over
the plane.  The spins of a plane lie at 63 depths in turn; the volume has 61 planes at every place, so it dephases by
itself below 61 cycles.  Errors are || S - S_volume || / || S_volume ||, and the largest one over the largest sample.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch

import spinloom
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

MATRIX, PLANES = 128, 61


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--spins", type=int, nargs="+", default=[2, 4], help="a voxel along x and y")
    arguments.add_argument("--b1", type=float, default=0.8, help="transmit field relative to nominal")
    arguments.add_argument("--cycles", type=float, nargs="+", default=[*range(1, 13), 16], help="of the crushers")
    arguments.add_argument("--phantom", default="brain")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print(f"{options.phantom}, B1 {options.b1:g}: error of k-space, and of its worst sample [%]")
    print("| cycles | " + " | ".join(f"{spins} x {spins} spins a voxel" for spins in options.spins) + " |")
    print("| --- |" + " --- |" * len(options.spins))
    planes = [
        spinloom.build_phantom({"name": options.phantom, "matrix": MATRIX, "spins": spins, "b1": options.b1})
        for spins in options.spins
    ]
    for cycles in options.cycles:
        timeline = spinloom.read_sequence(f"fse(crusher_cycles={cycles:g})")
        cells = ["{:.1f}, {:.1f}".format(*errors(timeline, plane)) for plane in planes]
        print(f"| {cycles:g} | " + " | ".join(cells) + " |", flush=True)


def errors(timeline: Timeline, plane: Phantom) -> tuple[float, float]:
    """Of a plane against its volume [%]."""
    maps = {name: getattr(plane, name) for name in ("m0", "t1", "t2", "b0", "b1")}
    thick = replace(plane, **{name: values.expand(PLANES, -1, -1).contiguous() for name, values in maps.items()})
    found, expected = (solve_phantom(timeline, subject).samples.numpy() for subject in (plane, thick))
    missed = np.abs(found - expected)
    whole = np.linalg.norm(missed) / np.linalg.norm(expected)
    return 100 * float(whole), 100 * float(missed.max() / np.abs(expected).max())


if __name__ == "__main__":
    main()
