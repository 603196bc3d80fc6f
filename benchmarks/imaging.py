"""Imaging: time an image and error, with MRzeroCore and blochsimulator beside it in the same run.

    python benchmarks/imaging.py [--side 512] [--peers 64] [--peer-python PYTHON] [--slab 256]

One core and processor time, so that other work on the machine matters little, but for the batch, which takes two.
Every voxel of the phantom holds spins.  Reading and lowering the file stand apart, as does what the first call costs
over later ones: compilation where nothing is cached, loading what is cached otherwise.  Errors are the largest of a
sample, relative to the mean M0: against the plain float64 sum over all isochromats, at readouts drawn by chance.

The other programs run on smaller phantoms, on which they are compared with Spinloom and with the plain sum; their
times are of one core too.  They are only run (`pip install MRzeroCore blochsimulator`, wherever --peer-python points
to) and a sentence stands where they are missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402

import spinloom  # noqa: E402
from spinloom.physics.imaging.engine import solve_phantom  # noqa: E402
from spinloom.physics.imaging.programs import plan_of, program_of  # noqa: E402
from spinloom.sequence.timeline import Timeline  # noqa: E402
from spinloom.testing.isochromat_sum import isochromat_sum  # noqa: E402
from spinloom.tissue.phantom import Phantom  # noqa: E402

HERE = Path(__file__).parent

BATCH = 32

COMPARED = 4
"""Readouts at which the plain sum is taken."""


@dataclass(frozen=True)
class Work:
    """A family's default sequence on maps of which some vary; goal: processor time of one image [s]."""

    name: str
    family: str
    maps: tuple[str, ...]
    goal: float
    whole_goal: float


WORKS = (
    Work("GRE-EPI, dB0 and T2 maps", "epi", ("b0", "t2"), 0.025, 0.15),
    Work("MOLED, B1+ and T2 maps", "moled", ("b1", "t2"), 0.030, 0.15),
    Work("FSE of 8 x 16, B1+, T1 and T2 maps", "fse", ("b1", "t1", "t2"), 0.120, 0.3),
)


def phantom(side: int, maps: tuple[str, ...], dtype: torch.dtype = torch.float32) -> Phantom:
    """A square full of spins: fields vary slowly, T1 and T2 from patch to patch and a little from voxel to voxel."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, side, dtype=dtype)] * 2, indexing="ij")
    draw = torch.Generator().manual_seed(0)
    patches = torch.rand(16, 16, generator=draw, dtype=dtype).repeat_interleave(-(-side // 16), 0)[:side]
    texture = 0.9 * patches.repeat_interleave(-(-side // 16), 1)[:, :side]
    texture = texture + 0.1 * torch.rand(side, side, generator=draw, dtype=dtype)
    values = {
        "m0": 0.5 + texture / 2,
        "t1": 0.5 + 1.5 * texture,
        "t2": 0.03 + 0.62 * texture**3,
        "b0": 150 * (x**2 + y - 0.5 * x * y).clamp(-1, 1),
        "b1": 1 + 0.3 * x * y,
    }
    constant = {"t1": 1.0, "t2": 0.1, "b0": 0.0, "b1": 1.0}
    chosen = {
        name: (value if name in ("m0", *maps) else torch.full_like(value, constant[name]))[None]
        for name, value in values.items()
    }
    return Phantom("square", (0.22, 0.22, 0.005), **chosen)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--side", type=int, default=512, help="spins a side")
    arguments.add_argument(
        "--peers", type=int, default=64, help="spins a side for the other programs; 0 leaves them out"
    )
    arguments.add_argument("--peer-python", default=sys.executable, help="interpreter that has the other programs")
    arguments.add_argument("--limit", type=float, default=300, help="time limit of another program [s]")
    arguments.add_argument("--slab", type=int, default=0, help="voxels a side of an EPI slab in 3-D, such as 256")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print(
        f"{processor()}, Python {platform.python_version()}, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}"
    )
    print(f"\n{options.side} x {options.side} spins to 128 x 128 samples, one core")
    heads = f"{'image':>10}{'goal':>9}{'error':>9}{'read':>9}{'lower':>9}{'first':>9}"
    print(f"{'':38}{heads}   128 x 128, file to image")
    timelines = {work.family: spinloom.read_sequence(f"{work.family}()") for work in WORKS}
    for work in WORKS:
        measure(work, timelines[work.family], options.side)
    general(timelines["epi"], options.side)
    batch(timelines["epi"], options.side)
    if options.slab:
        slab(options.slab)
    if options.peers:
        compare(timelines, options.peers, options.peer_python, options.limit)


def processor() -> str:
    """The processor's name, where the system tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def taken(run: Callable[[], object]) -> float:
    """Processor time of one run [s]."""
    start = time.process_time()
    run()
    return time.process_time() - start


def fastest(run: Callable[[], object], repetitions: int = 7) -> float:
    """Processor time of the fastest of some runs [s]."""
    return min(taken(run) for _ in range(repetitions))


def measure(work: Work, timeline: Timeline, side: int) -> None:
    """Print a family's line."""
    subject = phantom(side, work.maps)
    run = lambda: solve_phantom(timeline, subject, threads=1)  # noqa: E731
    first = taken(run)
    seconds = fastest(run)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.seq"
        path.write_bytes(spinloom.build_sequence(work.family).content)
        read = fastest(lambda: spinloom.read_sequence(path), 3)
        whole, start = whole_call(work.family, path, work.maps)
    lower = fastest(lambda: lowered(timeline), 3)
    print(
        f"{work.name:38}{1e3 * seconds:7.1f} ms{1e3 * work.goal:6.0f} ms{error(timeline, work.maps, side):9.1e}"
        f"{1e3 * read:6.0f} ms{1e3 * lower:6.1f} ms{max(0.0, first - seconds):7.2f} s"
        f"{1e3 * whole:14.0f} ms, goal {1e3 * work.whole_goal:.0f} ms (numba's start: {1e3 * start:.0f} ms)",
        flush=True,
    )


def lowered(timeline: Timeline) -> object:
    """Lower a timeline and plan its operations, without what is kept of it."""
    program = program_of(replace(timeline), 0.0, float("inf"), False)
    return plan_of(program, (True,) * len(program.readouts))


WHOLE_CALL = """
import sys
sys.path.insert(0, sys.argv[1])
from imaging import *
from spinloom.physics.imaging.registers import rows_of
torch.set_num_threads(1)
subject = phantom(128, tuple(sys.argv[4:]))
simulate, reconstruct, found = spinloom.simulate, spinloom.reconstruct, spinloom.plugins().simulator(sys.argv[2])
start = taken(lambda: rows_of(1, np.zeros(1)))
print(taken(lambda: reconstruct(simulate(simulator=sys.argv[2], sequence=sys.argv[3], phantom=subject))), start)
"""


def whole_call(family: str, path: Path, maps: tuple[str, ...]) -> tuple[float, float]:
    """From a file to the image of 128 x 128 voxels in a fresh process after imports, and numba's own start [s]."""
    call = [sys.executable, "-c", WHOLE_CALL, str(HERE), family, str(path), *maps]
    found = [subprocess.run(call, capture_output=True, text=True, check=True).stdout.split() for _ in range(3)]
    whole, start = np.array(found, dtype=float).min(axis=0)
    return whole, start


def error(timeline: Timeline, maps: tuple[str, ...], side: int, **options: str) -> float:
    """Largest error at some readouts, against the plain sum in double precision."""
    some = drawn_readouts(timeline)
    subject = phantom(side, maps)
    found = solve_phantom(some, subject, dephasing=False, **options).samples.numpy()  # type: ignore[arg-type]
    return miss(found, isochromat_sum(some, subject), subject)


def drawn_readouts(timeline: Timeline) -> Timeline:
    """The timeline with most of its ADC events taken out."""
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    kept = np.random.default_rng(1).choice(blocks, COMPARED, replace=False)
    return replace(timeline, block_adc=np.where(np.isin(np.arange(len(timeline)), kept), timeline.block_adc, -1))


def miss(found: np.ndarray, expected: np.ndarray, subject: Phantom) -> float:
    """Largest difference of samples, relative to the mean M0."""
    return float(np.abs(found - expected).max() / subject.m0.mean())


def general(timeline: Timeline, side: int) -> None:
    """Print the line of the EPI without using that its readouts are lines on a grid."""
    subject = phantom(side, WORKS[0].maps)
    seconds = fastest(lambda: solve_phantom(timeline, subject, threads=1, engine="general"), 3)
    wrong = error(timeline, WORKS[0].maps, side, engine="general")
    print(f"{'EPI, sample by sample':38}{1e3 * seconds:7.1f} ms{300:6.0f} ms{wrong:9.1e}", flush=True)


def batch(timeline: Timeline, side: int) -> None:
    """Print the line of many phantoms, one after the other on each of two cores; by the clock, the best of five."""
    subjects = [phantom(side, WORKS[0].maps)] * BATCH
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda subject: solve_phantom(timeline, subject, threads=1), subjects[:4]))
        found = []
        for _ in range(5):
            start, spent = time.perf_counter(), time.process_time()
            list(pool.map(lambda subject: solve_phantom(timeline, subject, threads=1), subjects))
            found.append((time.perf_counter() - start, time.process_time() - spent))
    clock, spent = min(found)
    name = f"EPI, {BATCH} phantoms on two cores, each"
    print(f"{name:38}{1e3 * clock / BATCH:7.1f} ms by the clock, {1e3 * spent / BATCH:.1f} ms of processor time")


def slab(side: int) -> None:
    """Print time and memory of slabs in 3-D."""
    print("\nEPI slab of 16 partitions in 3-D, two threads")
    for each in (side // 2, side):
        call = [sys.executable, str(HERE / "imaging_slab.py"), str(each), "2"]
        found = subprocess.run(call, capture_output=True, text=True, check=True).stdout
        clock, spent, memory = map(float, found.split())
        print(
            f"{each}^3 voxels: {clock:.1f} s by the clock, {spent:.1f} s of processor time, {memory:.2f} GB", flush=True
        )


def compare(timelines: dict[str, Timeline], side: int, python: str, limit: float) -> None:
    """Print times and errors of the other programs beside Spinloom's."""
    print(f"\n{side} x {side} spins, one core: time, error against the plain sum, time over Spinloom's")
    for work in WORKS:
        subject = phantom(side, work.maps)
        exact = isochromat_sum(timelines[work.family], subject)[0]
        run = lambda: solve_phantom(timelines[work.family], subject, threads=1, dephasing=False)  # noqa: B023, E731
        ours = fastest(run)
        wrong = miss(run().samples[0].numpy(), exact, subject)
        print(f"{work.name:38}{1e3 * ours:7.1f} ms {wrong:8.1e}", end="", flush=True)
        for program in ("mrzero", "blochsimulator"):
            print(f"   {program} {run_peer(program, work, subject, exact, python, limit, ours)}", end="", flush=True)
        print()


def run_peer(
    program: str, work: Work, subject: Phantom, exact: np.ndarray, python: str, limit: float, ours: float
) -> str:
    """Another program's time, error and ratio, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("file.seq", "phantom.npz", "signal.npy")]
        Path(paths[0]).write_bytes(spinloom.build_sequence(work.family).content)
        maps = {name: getattr(subject, name)[0].numpy() for name in ("m0", "t1", "t2", "b0", "b1")}
        np.savez(paths[1], fov=np.array(subject.fov), **maps)
        call = [python, str(HERE / "imaging_peers.py"), program, *paths]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return f"over {limit:.0f} s"
        if done.returncode:
            return f"does not run: {(done.stderr.strip().splitlines() or ['no message'])[-1][:90]}"
        seconds = float(done.stdout.split()[-1])
        return f"{seconds:.2f} s {miss(np.load(paths[2]), exact, subject):.1e} x{seconds / ours:,.0f}"


if __name__ == "__main__":
    main()
