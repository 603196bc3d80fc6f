"""Time and memory of reading sequence files, with pypulseq's own reader beside it in the same run.

    python benchmarks/read_sequence.py [FILE ...] [--limit SECONDS] [--memory GIGABYTES]

Without files the shipped sequences are read.  Each reading has a process of its own, which imports first and is timed
afterwards: ours several times (the median counts), pypulseq's once, within a time and a memory limit, because common
saturation files take it minutes or more memory than the machine has.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OURS = """
import resource, statistics, sys, time
import pypulseq, torch
from spinloom.sequence.read import read_sequence
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, times = peak(), []
for _ in range(7):
    start = time.perf_counter()
    read_sequence(sys.argv[1])
    times.append(time.perf_counter() - start)
print(statistics.median(times), peak() - before)
"""

THEIRS = """
import resource, sys, time, warnings
import pypulseq
warnings.simplefilter("ignore")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_AS, (int(float(sys.argv[2]) * 1e9),) * 2)
before, start = peak(), time.perf_counter()
pypulseq.Sequence().read(sys.argv[1])
print(time.perf_counter() - start, peak() - before)
"""

OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True)
class Reading:
    """How long a reader took [s] and by how much it raised the peak of memory [MB], or why there is neither."""

    seconds: float = float("nan")
    megabytes: float = float("nan")
    failure: str = ""

    def __str__(self) -> str:
        return self.failure or f"{self.seconds:8.3f} s {self.megabytes:7.1f} MB"


def main() -> None:
    """Read each file with both readers and print a line for it."""
    arguments = parse()
    print(machine())
    print(f"{'file':40s} {'size':>9s}  {'Spinloom':>21s}  {'pypulseq':>21s}  ratio")
    for path in arguments.files or shipped():
        ours = read(OURS, path, limit=600.0)
        theirs = read(THEIRS, path, str(arguments.memory), limit=arguments.limit)
        size = f"{path.stat().st_size / 1e3:.0f} kB"
        faster = ratio(ours, theirs, arguments.limit)
        print(f"{path.stem[:40]:40s} {size:>9s}  {ours!s:>21s}  {theirs!s:>21s}  {faster:>5s}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time and memory of reading sequences, beside pypulseq's own.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files to read; default: the shipped ones")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that pypulseq may take (default 60)")
    parser.add_argument("--memory", type=float, default=8.0, help="gigabytes that pypulseq may take (default 8)")
    return parser.parse_args()


def shipped() -> list[Path]:
    from spinloom.sequence.read import sequence_names, sequence_path

    return [sequence_path(name) for name in sequence_names()]


def read(program: str, path: Path, *more: str, limit: float) -> Reading:
    """What `program` prints about reading `path` in a process of its own."""
    command = [sys.executable, "-c", program, str(path), *more]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return Reading(failure=f"over {limit:.0f} s")
    if run.returncode:
        last = run.stderr.strip().rsplit("\n", 1)[-1]
        return Reading(failure=OUT_OF_MEMORY if "Memory" in last or run.returncode < 0 else f"fails: {last[:40]}")
    seconds, kilobytes = run.stdout.split()
    return Reading(float(seconds), float(kilobytes) * 1.024e-3)


def ratio(ours: Reading, theirs: Reading, limit: float) -> str:
    """How many times longer pypulseq took."""
    if theirs.failure.startswith("over"):
        return f"> {limit / ours.seconds:.0f}"
    return "-" if ours.failure or theirs.failure else f"{theirs.seconds / ours.seconds:.1f}"


def machine() -> str:
    """One line on what this was measured on."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.split(":")[1].strip() for line in information.read_text().splitlines() if "model name" in line]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
