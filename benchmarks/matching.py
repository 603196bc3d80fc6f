"""Time and memory of matching 64 x 64 voxels of 30 points with a dictionary of 665,873 entries.

    python benchmarks/matching.py [--dictionary SET] [--voxels N] [--threads N] [--rank N]

Without --dictionary its entries are random numbers, which take as long as real ones but are far easier to tell apart;
SET is what `spinloom generate experiment=larginine_dictionary output=SET` made.  Voxels are entries of the dictionary
with 1 % of noise.  Processor time of all threads counts, reading included; that of threads which wait for each other
counts too, so that a figure per core takes --threads 1.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from spinloom.quantify.compression import PART, compress
from spinloom.quantify.confidence import intervals
from spinloom.quantify.dictionary import Dictionary, dictionary_of, read_dictionary
from spinloom.quantify.matching import match

ENTRIES, POINTS = 665_873, 30
Result = TypeVar("Result")


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    dictionary = read_dictionary(arguments.dictionary) if arguments.dictionary else random_dictionary()
    picked, clean, signals = noisy_voxels(dictionary, arguments.voxels)
    print(
        f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}; {arguments.voxels:,} voxels x "
        f"{dictionary.measurements} points, {dictionary.entries:,} entries of {dictionary.name}"
    )
    print("| step | processor [s] | wall [s] | peak memory [MB] |")
    print("| --- | --- | --- | --- |")
    found = timed("match", lambda: match(dictionary, signals))
    timed("intervals", lambda: intervals(dictionary, signals, found))
    basis = timed(f"compress to rank {arguments.rank}", lambda: compress(dictionary, rank=arguments.rank))
    less = timed(f"match at rank {arguments.rank}", lambda: match(dictionary, signals, basis))
    same = float((less.index == found.index).double().mean())
    exact = float((match(dictionary, clean).index == picked).double().mean())
    print(
        f"Energy lost by rank {basis.rank}: {basis.energy_loss:.2g}; the same entry in {100 * same:.1f} % of voxels. "
        f"Without noise {100 * exact:.2f} % of voxels find the entry that they are."
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dictionary", help="set of signals; random numbers without it")
    parser.add_argument("--voxels", type=int, default=64 * 64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rank", type=int, default=8)
    return parser.parse_args()


def random_dictionary() -> Dictionary:
    """Signals between 0 and 1, and two numbers that mean nothing."""
    random = torch.Generator().manual_seed(1)
    numbers = {name: torch.rand(ENTRIES, generator=random) for name in ("first", "second")}
    return dictionary_of(numbers, torch.rand(ENTRIES, POINTS, generator=random), name="random numbers")


def noisy_voxels(dictionary: Dictionary, voxels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Entries spread over the dictionary: their indices, and signals without and with noise of 1 % of their mean."""
    wanted = torch.linspace(0, dictionary.entries - 1, voxels).long()
    first, picked = 0, []
    for part in dictionary.parts(PART):
        inside = wanted[(wanted >= first) & (wanted < first + part.signals.shape[0])]
        picked.append(part.signals[inside - first])
        first += part.signals.shape[0]
    clean = torch.cat(picked)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(2))
    return wanted, clean, clean + 0.01 * clean.mean() * noise


def timed(name: str, work: Callable[[], Result]) -> Result:
    """Do `work` and print a row of the table."""
    processor, wall = time.process_time(), time.perf_counter()
    result = work()
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"| {name} | {processor:.1f} | {wall:.1f} | {peak:.0f} |", flush=True)
    return result


if __name__ == "__main__":
    main()
