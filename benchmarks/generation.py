"""How much of the time that `spinloom generate` takes is simulation: at least nine tenths.

    python benchmarks/generation.py [--threads N] [--scale X]

Sets of seven-pool spectra, of two-pool fingerprints and of drawn protocols are made in a folder that goes away, each
after a small one of its kind, so that nothing is compiled or read for the first time meanwhile.  What is not
simulation is reading sequences, drawing, building tissues, writing chunks, and the digest.  Shares are of the wall
time; the rate is that of processor time.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import torch

from spinloom.configuration import run_task
from spinloom.tasks.generate import Generated, run_generate

SETS = {
    "seven-pool spectra, 34 offsets": (
        4_000,
        2000,
        ["sequence=aptw_3t_36pulses", "tissue=wm_3t_7pool", "tissue.cest_pool.amide.k=uniform(20, 300)"],
    ),
    "two-pool fingerprints, 30 images": (
        200_000,
        20_000,
        ["sequence=mrf_larginine_9p4t", "tissue=larginine_phantom_9p4t", "tissue.t2=loguniform(0.6, 1.2)"],
    ),
    "the same, smaller chunks": (
        200_000,
        2000,
        ["sequence=mrf_larginine_9p4t", "tissue=larginine_phantom_9p4t", "tissue.t2=loguniform(0.6, 1.2)"],
    ),
    "two-pool trains, 6 drawn protocols": (
        8000,
        4000,
        [
            "sequence='cest_train()'",
            "+protocols.draw.pulses=[10,200]",
            "+protocols.count=6",
            "tissue=larginine_phantom_9p4t",
            "tissue.t2=loguniform(0.6, 1.2)",
        ],
    ),
}
"""Samples of a protocol, those of a chunk, and what the set is of."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="factor of the samples")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}")
    print("| set | samples | chunk | simulation, share of wall time | samples a second of processor time |")
    print("| --- | --- | --- | --- | --- |")
    for name, (samples, chunk, asked) in SETS.items():
        generated(asked, 64, 64)
        begun = time.process_time()
        done = generated(asked, max(1, int(arguments.scale * samples)), chunk)
        rate = done.samples / (time.process_time() - begun)
        print(
            f"| {name} | {done.total:,} | {chunk:,} | {100 * done.simulated / done.seconds:.1f} % | {rate:,.0f} |",
            flush=True,
        )


def generated(asked: list[str], samples: int, chunk: int) -> Generated:
    """A set, made and thrown away."""
    made: list[Generated] = []
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder:
        rest = [
            "simulator=cest",
            "tracking=off",
            f"samples={samples}",
            f"chunk={chunk}",
            f"output={Path(folder) / 's'}",
        ]
        run_task(
            "generate", lambda config: made.append(run_generate(config)), [*asked, *rest], lambda config: nullcontext()
        )
    return made[0]


if __name__ == "__main__":
    main()
