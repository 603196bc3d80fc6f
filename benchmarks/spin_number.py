"""How many spins an image of overlapping echoes needs: the error of k-space against the finest grid.

    python benchmarks/spin_number.py [--spins N ...] [--b1 B1] [--sequence EXPRESSION] [-o FIGURE]

The study of Huang, Yang et al. 2022 (their MOLED sequence, 128 x 128 samples, B1 of 1.1): a phantom is played with ever
more spins, and its k-space compared with that of the finest grid, || S - S_finest || / || S_finest ||.  Maps are either
those of 128 x 128 voxels, each of several spins (`phantom.spins` of the configuration), or drawn on the grid of the
spins itself, so that finer grids also know finer structure.  The runs themselves, tracked and reported:

    spinloom simulate -m experiment=moled_spin_number phantom.spins=1,2,4,8
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

import spinloom
from spinloom import Timeline
from spinloom.evaluation.canvas import BLUE, GREY, ORANGE, axis_name, blank, heading, save

VOXELS = 128
PUBLISHED = {128: 24.6, 256: 2.0, 512: 0.7}
"""Spins a side, and the error against 1024 [%]."""

CASES = {
    "brain, maps of 128 voxels": ("brain", False),
    "brain, maps of the spins' grid": ("brain", True),
    "Shepp-Logan, maps of the spins' grid": ("shepp_logan", True),
}


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(1)
    timeline = spinloom.read_sequence(arguments.sequence)
    start = time.process_time()
    sides = [VOXELS * spins for spins in arguments.spins]
    errors = {name: case_errors(timeline, *case, arguments) for name, case in CASES.items()}
    print(f"{arguments.sequence}, B1 {arguments.b1:g}, error of k-space against {sides[-1]} spins a side [%]")
    print("| spins a side | " + " | ".join([*CASES, "published"]) + " |")
    print("| --- |" + " --- |" * (len(CASES) + 1))
    for place, side in enumerate(sides[:-1]):
        row = [f"{100 * found[place]:.2g}" for found in errors.values()]
        print(f"| {side} | " + " | ".join([*row, f"{PUBLISHED.get(side, float('nan')):g}"]) + " |")
    print(f"{time.process_time() - start:.1f} s of processor time for {len(CASES) * len(sides)} images")
    if arguments.output is not None:
        draw(sides[:-1], errors, arguments.output)
        print(f"Wrote {arguments.output}.")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spins", type=int, nargs="+", default=[1, 2, 4, 8], help="a voxel and axis, rising")
    parser.add_argument("--b1", type=float, default=1.1, help="transmit field relative to nominal")
    parser.add_argument("--sequence", default="moled()", help="a family with its parameters, or a file")
    parser.add_argument("-o", "--output", type=Path, help="picture to write, .svg or .png")
    return parser.parse_args()


def case_errors(timeline: Timeline, name: str, on_spins: bool, arguments: argparse.Namespace) -> list[float]:
    """Error of each number of spins but the last."""
    samples = []
    for spins in arguments.spins:
        grid = {"matrix": VOXELS * spins} if on_spins else {"matrix": VOXELS, "spins": spins}
        phantom = spinloom.build_phantom({"name": name, "b1": arguments.b1, **grid})
        samples.append(spinloom.simulate(sequence=timeline, phantom=phantom).samples)
    return [float((found - samples[-1]).norm() / samples[-1].norm()) for found in samples[:-1]]


def draw(sides: list[int], errors: dict[str, list[float]], path: Path) -> None:
    """Error against spins a side, both logarithmic."""
    figure, (axes,) = blank(3.6)
    heading(axes, "Error of k-space [%]")
    curves = {**errors, "published": [PUBLISHED[side] / 100 for side in sides if side in PUBLISHED]}
    for (name, values), colour, style in zip(
        curves.items(), (BLUE, BLUE, ORANGE, GREY), ("-", "--", "-", ":"), strict=True
    ):
        percent = 100 * np.array(values)
        axes.plot(sides[: len(percent)], percent, style, color=colour, marker="o", markersize=4, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sides, [str(side) for side in sides])
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(frameon=False, fontsize=8)
    axis_name(axes, "Spins a side")
    save(figure, path)


if __name__ == "__main__":
    main()
