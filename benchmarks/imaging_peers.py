"""One imaging simulation by another program, for `benchmarks/imaging.py`, which runs this file in a process of its own.

    python benchmarks/imaging_peers.py PROGRAM SEQUENCE.seq PHANTOM.npz SIGNAL.npy

PROGRAM is `mrzero` (`pip install MRzeroCore`), `mrzero_whole`, the same without pruning its graph, or `blochsimulator`
(`pip install blochsimulator`).  The phantom holds maps `(y, x)` m0, t1, t2, b0 and b1 and its field of view along x, y,
z.  The signal is brought to the convention of Spinloom: mean over the phantom of M+, counter-clockwise at positive
frequencies, RF about +x turning z towards y.  The last line printed is the processor time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

WHOLE = {"max_state_count": 100_000, "min_state_mag": 0.0}, {"min_emitted_signal": 0.0, "min_latent_signal": 0.0}
"""Of `compute_graph` and `execute_graph`: nothing is pruned."""


def mrzero(sequence: str, phantom: Any, settings: tuple[dict, dict] = ({}, {})) -> Callable[[], np.ndarray]:
    """Phase distribution graphs of points, with the thresholds that the program has by default; no D, no T2'.

    Its spins turn clockwise but its RF phases do not, so places and frequencies are mirrored to meet the file's pulses.
    """
    import MRzeroCore
    import torch

    torch.set_num_threads(1)

    def map_of(name: str) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(phantom[name].T[:, :, None], dtype=np.float32))

    ones = torch.ones_like(map_of("m0"))
    voxel = [-1000 * extent / count for extent, count in zip(phantom["fov"], ones.shape, strict=True)]
    data = MRzeroCore.VoxelGridPhantom(
        PD=map_of("m0"),
        T1=map_of("t1"),
        T2=map_of("t2"),
        T2dash=1e6 * ones,
        D=0 * ones,
        B0=-map_of("b0"),
        B1=map_of("b1")[None],
        coil_sens=ones[None],
        affine=torch.diag(torch.tensor([*voxel, 1.0])),
    ).build(voxel_shape="point")
    program = MRzeroCore.Sequence.import_file(sequence)

    def run() -> np.ndarray:
        graph = MRzeroCore.compute_graph(program, data, **settings[0])
        signal = MRzeroCore.execute_graph(graph, program, data, print_progress=False, **settings[1])
        return 1j * signal[:, 0].numpy() / phantom["m0"].size

    return run


def mrzero_whole(sequence: str, phantom: Any) -> Callable[[], np.ndarray]:
    """The same with every state of its graph."""
    return mrzero(sequence, phantom, WHOLE)


def blochsimulator(sequence: str, phantom: Any) -> Callable[[], np.ndarray]:
    """One isochromat a voxel, every event of the file."""
    from blochsimulator import BlochSimulator, load_pulseq
    from blochsimulator.phantom import Phantom

    def map_of(name: str) -> np.ndarray:
        return np.ascontiguousarray(phantom[name].T[:, :, None], dtype=np.float64)

    shape, fov = map_of("m0").shape, tuple(map(float, phantom["fov"]))
    affine = np.diag([*(extent / count for extent, count in zip(fov, shape, strict=True)), 1.0])
    affine[:3, 3] = [-(count // 2) * affine[axis, axis] for axis, count in enumerate(shape)]
    subject = Phantom(
        shape,
        fov,
        map_of("t1"),
        map_of("t2"),
        pd_map=map_of("m0"),
        b0_map=map_of("b0"),
        tx_sensitivity_map=map_of("b1").astype(complex),
        mask=map_of("m0") > 0,
        affine_ijk_to_xyz_m=affine,
    )
    simulator, program = BlochSimulator(use_parallel=False, num_threads=1), load_pulseq(sequence)

    def run() -> np.ndarray:
        found = simulator.simulate_sequence(program, subject, spoiler_mode="gradient")
        return -np.asarray(found.signal).reshape(-1).conj() / phantom["m0"].size

    return run


def main() -> None:
    """Simulate once and write the signal."""
    program, sequence, phantom, target = sys.argv[1:]
    programs = {"mrzero": mrzero, "mrzero_whole": mrzero_whole, "blochsimulator": blochsimulator}
    run = programs[program](sequence, np.load(phantom))
    start = time.process_time()
    signal = run()
    seconds = time.process_time() - start
    np.save(target, signal)
    print(seconds)


if __name__ == "__main__":
    main()
