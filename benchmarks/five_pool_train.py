"""One five-pool tissue under a train at very many offsets: time from a read timeline to its numbers, and where it goes.

    python benchmarks/five_pool_train.py

302 offsets (-300 ppm and -15 to 15 ppm) of 36 pulses, each of 200 samples in 50 ms: the size of the Bloch-McConnell
simulation challenge's longest cases.  10,872 RF events differ in phase, 302 in what their propagators depend on, so
that bookkeeping by the event costs more than the physics.  Processor time on one core, the fastest of several runs.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import pypulseq as pp  # noqa: E402
import torch  # noqa: E402

import spinloom  # noqa: E402
from spinloom.physics.engine import solve_pools  # noqa: E402
from spinloom.physics.fast_program import FastProgram  # noqa: E402
from spinloom.sequence.steps import step_program  # noqa: E402
from spinloom.sequence.timeline import Timeline  # noqa: E402
from spinloom.tissue.pool_model import tissue_from_mapping  # noqa: E402
from spinloom.tissue.pools import Tissue  # noqa: E402
from spinloom.units import PPM, PROTON_GAMMA_BAR  # noqa: E402

OFFSETS = np.concatenate([[-300.0], np.linspace(-15.0, 15.0, 301)])  # ppm
PULSES, SAMPLES, DURATION, PAUSE, RECOVERY = 36, 200, 0.05, 0.005, 3.5
AMPLITUDE = 141.667  # Hz at the pulse's peak
B0 = 3.0  # T


def main() -> None:
    """Print what each part takes."""
    torch.set_num_threads(1)
    timeline, tissue = five_pool_train(), five_pools()
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"
    )
    program = step_program(timeline)
    exact = solve_pools(timeline, tissue, cells="all").mz
    for name, run in (
        ("numbers of the RF events", lambda: replace(timeline).rf_table),
        ("steps", lambda: step_program(timeline)),
        ("distinct pulses", lambda: FastProgram.of(program, timeline, tissue)),
        ("everything, rtol=1e-5", lambda: solve_pools(replace(timeline), tissue, rtol=1e-5)),
        ("everything, rtol=1e-6", lambda: solve_pools(replace(timeline), tissue, rtol=1e-6)),
    ):
        print(f"{name:28} {fastest(run) * 1e3:8.2f} ms")
    for rtol in (1e-5, 1e-6):
        solved = solve_pools(timeline, tissue, rtol=rtol)
        print(f"error at rtol={rtol:g}: {float((solved.mz - exact).abs().max()):.1e}. {solved.notes[-2]}")


def five_pool_train() -> Timeline:
    """The timeline, by way of a file that pypulseq writes."""
    system = pp.Opts(B0=B0, rf_dead_time=0, rf_ringdown_time=0, rf_raster_time=1e-6)
    pulse, larmor = train_pulse(system), PROTON_GAMMA_BAR * B0
    spoiler = pp.make_trapezoid("z", amplitude=4e5, flat_time=5e-3, rise_time=5e-4, system=system)
    sequence = pp.Sequence(system)
    for offset in OFFSETS:
        pulse.freq_offset = offset * PPM * larmor
        sequence.add_block(pp.make_delay(RECOVERY))
        for number in range(PULSES):
            pulse.phase_offset = 2 * np.pi * (pulse.freq_offset * DURATION * number % 1)
            sequence.add_block(pulse)
            sequence.add_block(pp.make_delay(PAUSE))
        sequence.add_block(spoiler)
        sequence.add_block(pp.make_adc(1, dwell=1e-3, system=system))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "five_pool_train.seq"
        sequence.write(str(path))
        return spinloom.read_sequence(path)


def train_pulse(system: pp.Opts) -> object:
    """A raised-cosine sinc in cells of 250 us."""
    place = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    shape = (0.85 + 0.15 * np.cos(2 * np.pi * place)) * np.sinc(2 * place)
    flip = 2 * np.pi * AMPLITUDE * DURATION * float(np.mean(shape))
    return pp.make_arbitrary_rf(shape, flip, dwell=DURATION / SAMPLES, system=system, use="saturation")


def five_pools() -> Tissue:
    """White matter simplified to five pools, the macromolecular one with all three components."""
    solutes = {
        "amide": {"f": 9e-4, "t1": 1.0, "t2": 0.1, "k": 50, "dw": 3.5},
        "guanidine": {"f": 9e-4, "t1": 1.0, "t2": 0.1, "k": 1000, "dw": 2.0},
        "noe": {"f": 4.5e-3, "t1": 1.3, "t2": 5e-3, "k": 20, "dw": -3.0},
        "mt": {"f": 0.1351, "t1": 1.0, "t2": 4e-5, "k": 30, "dw": -3.0},
    }
    return tissue_from_mapping({"water_pool": {"t1": 1.0, "t2": 0.04}, "cest_pool": solutes, "b0": B0}, "five pools")


def fastest(run: Callable[[], object], repetitions: int = 15) -> float:
    """Processor time of the fastest of some runs, after one that compiles [s]."""
    run()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
