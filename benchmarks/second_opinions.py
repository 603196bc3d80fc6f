"""Second opinions: what other programs make of small images, and where each differs from the plain sum.

    python benchmarks/second_opinions.py [--peer-python PYTHON] [--limit 300]

Errors are the largest of a sample relative to the mean M0, and the root mean square over that of the signal, against
the plain float64 sum over points.  MRzeroCore and blochsimulator are only run (`imaging_peers.py`), from wherever
--peer-python has them.  Cases that differ in one thing show the reason of a difference: a field or none, a longer
pulse, a grid that lets crushed coherences come back or not, relaxation or none.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from imaging import HERE, miss, phantom

import spinloom
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence_sources import sequence_content
from spinloom.testing.isochromat_sum import isochromat_sum
from spinloom.tissue.phantom import Phantom

PROGRAMS = ("blochsimulator", "mrzero", "mrzero_whole")

SMALL_MOLED = "moled(matrix=32, shift_x=(6,-3,6,-4), shift_y=(8,8,8,-12), esp_ms=0.5)"
SMALL_FSE = "fse(matrix=16, shots=4, etl=4)"
CRUSHED_FSE = "fse(matrix=16, shots=4, etl=4, crusher_axes=xy, crusher_cycles=2)"


@dataclass(frozen=True)
class Case:
    """A sequence on a grid of `side` points a side, some of whose maps vary, without relaxation if not asked for."""

    name: str
    sequence: str
    side: int
    maps: tuple[str, ...]
    relaxes: bool = True


CASES = (
    Case("EPI, dB0 and T2", "epi()", 32, ("b0", "t2")),
    Case("EPI, T2", "epi()", 32, ("t2",)),
    Case("EPI, dB0, no relaxation", "epi()", 32, ("b0",), relaxes=False),
    Case("EPI, dB0 and T2, pulse of 2 ms", "epi(excitation_ms=2)", 32, ("b0", "t2")),
    Case("MOLED, B1+ and T2, a point a voxel", SMALL_MOLED, 32, ("b1", "t2")),
    Case("MOLED, B1+ and T2, 4 x 4 points a voxel", SMALL_MOLED, 128, ("b1", "t2")),
    Case("FSE, B1+, T1 and T2, a point a voxel", SMALL_FSE, 16, ("b1", "t1", "t2")),
    Case("FSE, B1+, no relaxation, a point a voxel", SMALL_FSE, 16, ("b1",), relaxes=False),
    Case("FSE, B1+, T1 and T2, 6 x 6 points a voxel", CRUSHED_FSE, 96, ("b1", "t1", "t2")),
)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--peer-python", default=sys.executable, help="interpreter that has the other programs")
    arguments.add_argument("--limit", type=float, default=300, help="time limit of another program [s]")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print("| image | Spinloom, single precision | " + " | ".join(PROGRAMS) + " |")
    print("| --- |" + " --- |" * (1 + len(PROGRAMS)))
    for case in CASES:
        subject = subject_of(case)
        timeline = spinloom.read_sequence(case.sequence)
        exact = isochromat_sum(timeline, subject)[0]
        own = solve_phantom(timeline, subject, dephasing=False).samples[0].numpy()
        cells = [errors(own, exact, subject)]
        cells += [peer(name, case, subject, exact, options.peer_python, options.limit) for name in PROGRAMS]
        print(f"| {case.name} | " + " | ".join(cells) + " |", flush=True)


def subject_of(case: Case) -> Phantom:
    """The points of a case."""
    found = phantom(case.side, case.maps)
    never = torch.full_like(found.m0, 1e5)
    return found if case.relaxes else replace(found, t1=never, t2=never)


def errors(found: np.ndarray, exact: np.ndarray, subject: Phantom) -> str:
    """The largest error, and the root mean square of all over that of the signal."""
    return f"{miss(found, exact, subject):.0e}, {np.linalg.norm(found - exact) / np.linalg.norm(exact):.0e}"


def peer(program: str, case: Case, subject: Phantom, exact: np.ndarray, python: str, limit: float) -> str:
    """Another program's errors, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("file.seq", "phantom.npz", "signal.npy")]
        Path(paths[0]).write_bytes(sequence_content(case.sequence))
        maps = {name: getattr(subject, name)[0].numpy() for name in ("m0", "t1", "t2", "b0", "b1")}
        np.savez(paths[1], fov=np.array(subject.fov), **maps)
        call = [python, str(HERE / "imaging_peers.py"), program, *paths]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return f"over {limit:.0f} s"
        if done.returncode:
            return f"does not run: {(done.stderr.strip().splitlines() or ['no message'])[-1][:90]}"
        return errors(np.load(paths[2]), exact, subject)


if __name__ == "__main__":
    main()
