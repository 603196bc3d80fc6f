"""Processor time of gradients of the signal, beside that of the signal: of tissues, and of images and their sequence.

    python benchmarks/gradients.py [--tissues N] [--cells N] [--side N] [--threads N]

The train of 36 pulses of `aptw_3t_36pulses` is played on several tissues by the readable engine, which is the one that
has gradients: once without, and once with the gradient of a loss (the sum of Mz squared) with respect to all
parameters of all tissues.  A fast spin echo of two shots of 16 echoes is played on `--side` spins a side, also by the
readable engine: without gradients, and with the gradient of a loss (the sum of squared magnitudes) with respect to all
maps, and to numbers of the sequence.  The median of three counts; the first run is not counted.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

import spinloom
from spinloom import Phantom, SequenceChanges, Timeline, Tissue

FSE = "fse(shots=2, etl=16, matrix=32, tr_ms=1000)"

MAPS = ("m0", "t1", "t2", "b0", "b1")


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
    saturation(timeline, spinloom.read_tissue("wm_3t_7pool"), arguments.cells)
    image(spinloom.read_sequence(FSE), square(arguments.side))


def saturation(timeline: Timeline, tissue: Tissue, cells: int) -> None:
    """Rows of gradients of Mz with respect to the sequence."""
    print("\n| gradient of aptw_3t_36pulses on wm_3t_7pool | numbers | signal [s] | with gradient [s] | ratio |")
    print("| --- | --- | --- | --- | --- |")
    pulses = int((timeline.block_rf >= 0).sum())
    plain = median(partial(signal, timeline, tissue, cells))
    for what, name, start in (
        ("one factor of all pulses", "rf_scale", torch.ones(())),
        ("phase of each pulse", "rf_phase", torch.zeros(pulses)),
        ("delay of each block", "delay", torch.zeros(len(timeline))),
    ):
        both = median(partial(saturation_gradient, timeline, tissue, cells, name, start.requires_grad_()))
        print(f"| {what} | {start.numel():,} | {plain:.2f} | {both:.2f} | {both / plain:.1f} |", flush=True)


def saturation_gradient(timeline: Timeline, tissue: Tissue, cells: int, name: str, leaf: Tensor) -> Tensor:
    """Gradient of the sum of Mz squared with respect to a change of the sequence."""
    solution = spinloom.solve_pools(timeline, tissue, cells=cells, changes=SequenceChanges(**{name: leaf}))
    return torch.autograd.grad(solution.mz.square().sum(), leaf)[0]


def image(timeline: Timeline, subject: Phantom) -> None:
    """Rows of an image: gradients of its maps, and of its sequence."""
    side = subject.shape[-1]
    print(f"\n| gradient of {FSE} on {side} x {side} spins | numbers | signal [s] | with gradient [s] | ratio |")
    print("| --- | --- | --- | --- | --- |")
    pulses, blocks = int((timeline.block_rf >= 0).sum()), len(timeline)
    sizes = {"rf_scale": (pulses,), "rf_phase": (pulses,), "delay": (blocks,), "gradient_scale": (3, blocks)}
    start = {name: torch.full(size, 1.0 * name.endswith("scale")) for name, size in sizes.items()}
    wanted = {
        "all maps": {name: getattr(subject, name) for name in MAPS},
        "flip angle of each pulse": {"rf_scale": start["rf_scale"]},
        "delay and gradients of each block": {name: start[name] for name in ("delay", "gradient_scale")},
        "all of these": {name: getattr(subject, name) for name in MAPS} | start,
    }
    for what, numbers in wanted.items():
        leaves = {name: values.clone().requires_grad_() for name, values in numbers.items()}
        plain = median(partial(samples, timeline, subject, numbers))
        both = median(partial(image_gradient, timeline, subject, leaves))
        count = sum(values.numel() for values in numbers.values())
        print(f"| {what} | {count:,} | {plain:.2f} | {both:.2f} | {both / plain:.1f} |", flush=True)


def samples(timeline: Timeline, subject: Phantom, numbers: dict[str, Tensor]) -> Tensor:
    """Samples of a phantom with `numbers` in the place of maps, or as changes of the sequence."""
    played = replace(subject, **{name: values for name, values in numbers.items() if name in MAPS})
    changes = SequenceChanges(**{name: values for name, values in numbers.items() if name not in MAPS})
    given = changes if changes.names else None
    return spinloom.solve_phantom(timeline, played, engine="readable", changes=given).samples


def image_gradient(timeline: Timeline, subject: Phantom, leaves: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """Gradient of the sum of squared magnitudes with respect to all `leaves`."""
    loss = samples(timeline, subject, leaves).abs().square().sum()
    return torch.autograd.grad(loss, list(leaves.values()))


def square(side: int) -> Phantom:
    """A square of tissue that varies from spin to spin, in fields that vary slowly."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij")
    texture = torch.rand(side, side, generator=torch.Generator().manual_seed(0))
    maps = {"m0": 0.5 + texture / 2, "t1": 0.5 + texture, "t2": 0.05 + 0.1 * texture, "b0": 50 * y, "b1": 1 + 0.2 * x}
    return Phantom("square", (0.22, 0.22, 0.005), **{name: values[None] for name, values in maps.items()})


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tissues", type=int, default=4)
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--side", type=int, default=64)
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
