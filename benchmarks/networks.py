"""Networks against the exact simulator on one core: processor time of a signal and of a batch of 259,200.

    python benchmarks/networks.py [--dynamic MODEL] [--trajectory MODEL] [--tissues N] [--exact N]

MODEL is what `spinloom train` made; without it weights are random, which takes as long.  A network predicts all
tissues, its inputs read from sequence and tissue included; the simulator simulates --exact of them, and the time of the
whole batch follows by their number.  What is compiled and read, is so before; the best of three runs counts for both.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

import spinloom
from spinloom.learning.artefact import load_surrogate, save_surrogate
from spinloom.learning.trained_surrogate import TrainedSurrogate
from spinloom.registry import plugins
from spinloom.tissue.batches import plan_batch
from spinloom.tissue.files import load_mapping

RUNS = 3


@dataclass(frozen=True)
class Work:
    """What is simulated: name of a network, sequence, tissue and range of its water T1, and error of the simulator."""

    network: str
    sequence: str
    tissue: str
    t1: str
    rtol: float = 1e-5


WORK = (
    Work("dynamic_mlp", "mrf_larginine_9p4t", "larginine_phantom_9p4t", "uniform(2.5, 3.3)"),
    Work("dynamic_mlp", "cest_schedule(schedule=amide)", "two_pools_9p4t", "uniform(1.3, 2.3)"),
    Work("dynamic_mlp", "mrf_mt_7t", "mouse_brain_7t_mt", "uniform(1.3, 2.3)"),
    Work("trajectory_mlp", "cest_train(field_t=4.7, pulses=18, pulse_ms=80)", "wm_3t_7pool", "uniform(0.8, 1.6)"),
)


def main() -> None:
    """Print a row for each piece of work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dynamic", help="folder of a trained dynamic network; random weights without it")
    parser.add_argument("--trajectory", help="folder of a trained trajectory network; random weights without it")
    parser.add_argument("--tissues", type=int, default=259_200)
    parser.add_argument("--exact", type=int, default=2_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.machine()}, torch {torch.__version__}, one thread; batch of {given.tissues:,}")
    print("| network | sequence | exact [us] | network [us] | exact, batch [s] | network, batch [s] | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with TemporaryDirectory() as folder:
        for work in WORK:
            path = given.dynamic if work.network == "dynamic_mlp" else given.trajectory
            model = load_surrogate(path or random_weights(work.network, Path(folder) / work.network))
            exact, network = measured(work, model, given.exact, given.tissues)
            batches = f"{exact * given.tissues:.3g} | {network * given.tissues:.3g} | {exact / network:.3g}"
            print(f"| {work.network} | `{work.sequence}` | {1e6 * exact:.3g} | {1e6 * network:.3g} | {batches} |")


def measured(work: Work, model: TrainedSurrogate, few: int, many: int) -> tuple[float, float]:
    """Processor time of a signal [s], of the simulator and of the network."""
    timeline = spinloom.read_sequence(work.sequence)
    all_of_them, some = batch(work, many), batch(work, few)
    spinloom.solve_pools(timeline, some[:32], rtol=work.rtol)
    model.predict(timeline, some[:32])
    exact = best(lambda: spinloom.solve_pools(timeline, some, rtol=work.rtol)) / few
    return exact, best(lambda: model.predict(timeline, all_of_them)) / many


def batch(work: Work, tissues: int) -> spinloom.Tissue:
    """So many tissues, which differ in the T1 of water."""
    mapping = load_mapping(work.tissue)
    mapping["water_pool"]["t1"] = work.t1
    plan = plan_batch(mapping, work.tissue, tissues)
    return plan.with_columns(plan.columns(0)).tissue.flatten()


def best(run: Callable[[], object]) -> float:
    """Least processor time of a few runs [s]."""
    found = []
    for _ in range(RUNS):
        start = time.process_time()
        with torch.no_grad():
            run()
        found.append(time.process_time() - start)
    return min(found)


def random_weights(name: str, folder: Path) -> Path:
    """A network that was never trained."""
    if not folder.is_dir():
        surrogate = plugins().surrogate(name)({})
        save_surrogate(folder, surrogate, name, {}, surrogate.network().state_dict(), {})
    return folder


if __name__ == "__main__":
    main()
