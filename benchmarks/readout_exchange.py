"""What it costs to let water be alone during the readout of CEST-weighted images.

    python benchmarks/readout_exchange.py [--sequence EXPRESSION] [--tissue NAME]

`simulator=cest_epi` solves the pools up to each excitation and water alone during the readout.  Here the pools are
played through the readout too, gradients aside, and the water's transverse magnetisation at the centre of k-space is
compared with what the water alone has there: as a spectrum, |Mxy| over that of the M0 scan, and in size, |Mxy| over
Mz exp(-TE/T2).
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch

import spinloom
from spinloom.sequence.parts import with_markers
from spinloom.sequence.trajectory import trajectory


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(1)
    timeline, tissue = spinloom.read_sequence(arguments.sequence), spinloom.read_tissue(arguments.tissue)
    carried = replace(tissue.flatten(), reset=False)  # a reset after each line would end the magnetisation
    begins = np.array([shot.blocks.start for shot in spinloom.shots(timeline)])
    before = spinloom.solve_pools(with_markers(timeline, begins, begins[:0]), carried, rtol=1e-6).mz
    through = spinloom.solve_pools(timeline, carried, rtol=1e-6)
    central = centres(timeline, len(begins))
    after = through.mxy[:, torch.from_numpy(central)].abs()
    echo_time = through.time[central[0]] - timeline.block_start[begins[0]]
    alone = before[:, 0].abs() * torch.exp(-echo_time / carried.water.t2)
    error = (after / after[:, :1] - before.abs() / before[:, :1].abs()).abs().max(dim=1).values
    print(f"{arguments.sequence} on {arguments.tissue}, TE {1e3 * echo_time:.1f} ms")
    print("| tissue | largest error of Z | signal at TE over that of water alone |")
    print("| --- | --- | --- |")
    for number, (wrong, size) in enumerate(zip(error, after[:, 0] / alone, strict=True), start=1):
        print(f"| {number} | {float(wrong):.1e} | {float(size):.3f} |")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", default="cest_epi()", help="a family with its parameters, or a file")
    parser.add_argument("--tissue", default="brain_3t_7pool", help="name or path of a tissue")
    return parser.parse_args()


def centres(timeline: spinloom.Timeline, images: int) -> np.ndarray:
    """Sample of each image that is nearest to the centre of k-space."""
    distance = np.linalg.norm(trajectory(timeline), axis=1).reshape(images, -1)
    nearest: np.ndarray = distance.argmin(axis=1) + np.arange(images) * distance.shape[1]
    return nearest


if __name__ == "__main__":
    main()
