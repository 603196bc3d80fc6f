"""The multi-pool engine behind one function: a timeline and a batch of tissues in, magnetisation of water out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.accuracy import Sampling, choose_sampling
from spinloom.physics.isochromats import averaged, sentences, with_isochromats
from spinloom.physics.players import choose_engine, player_of
from spinloom.physics.probing import TISSUES, probed_measurements, probed_tissues
from spinloom.physics.propagation import common_larmor
from spinloom.sequence.replay import PHYSICAL, PULSEQ_CEST, replay
from spinloom.sequence.silence import without_silence
from spinloom.sequence.steps import StepProgram, step_program
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

FEW_SEGMENTS = 256
"""Pulses of so many segments at most are solved segment by segment for a few tissues: to find out whether fewer cells
would do takes as long."""


@dataclass(frozen=True, eq=False)
class PoolSolution:
    """Magnetisation of water at every sample, relative to its equilibrium.

    mz, mxy: real and complex, shape `(*batch, samples)`
    time, measurement: of each sample [s] and [ADC event], shape `(samples,)`
    notes: sentences on what was idealised and how pulses were sampled
    """

    mz: Tensor
    mxy: Tensor
    time: np.ndarray
    measurement: np.ndarray
    notes: tuple[str, ...]


def solve_pools(
    timeline: Timeline,
    tissue: Tissue,
    *,
    rtol: float = 1e-6,
    cells: int | str | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    timing: str = PHYSICAL,
    shape_phase: str | None = None,
    engine: str = "auto",
) -> PoolSolution:
    """Solve the Bloch-McConnell equations of `tissue` under `timeline`.

    rtol: largest error of the signal by the sampling of pulses, in units of the equilibrium magnetisation
    cells: a fixed number of cells a pulse instead, or `all` for every sample of the file
    progress: called after each chunk of a batch with the tissues that are done and their number
    timing: `physical`, or `pulseq_cest` for the times, samples and phases of that program, to compare with its results
    shape_phase: which way round the phases of RF shapes turn, `pulseq` or `pulseq_cest`; by default that of the timing
    engine: `fast` compiled loops, `readable` matrices in torch, or `auto`, fast wherever it applies

    Differentiable with respect to every parameter of the tissue, by the readable engine whatever was asked for.
    """
    whole = tissue.flatten().to(torch.float64, device)
    flat = with_isochromats(whole)
    timeline = without_silence(replay(timeline, timing, shape_phase, tissue.max_pulse_samples, common_larmor(tissue)))
    cells = "all" if timing == PULSEQ_CEST else cells
    program = step_program(timeline)
    engine = choose_engine(flat, "readable" if flat.requires_grad else engine)
    player = player_of(engine, program, timeline, flat, rtol, dtype)
    sampling = _sampling(program, timeline, flat, rtol, cells, engine)
    parts = []
    tissues = int(flat.batch_shape.numel())
    for start in range(0, tissues, player.chunk):
        part = flat[start : start + player.chunk]
        parts.append(player.play(part, sampling.cells))
        if progress is not None:
            spins = tissues // whole.b0.numel()
            progress(min(start + player.chunk, tissues) // spins, whole.b0.numel())
    shape = (*tissue.batch_shape, program.time.size)
    return PoolSolution(
        mz=averaged(torch.cat([mz for mz, _ in parts]), whole).reshape(shape),
        mxy=averaged(torch.cat([mxy for _, mxy in parts]), whole).reshape(shape),
        time=program.time,
        measurement=program.measurement,
        notes=(*program.notes, sampling.sentence(), f"Played by the {engine} engine.", *sentences(whole)),
    )


def _sampling(
    program: StepProgram, timeline: Timeline, tissue: Tissue, rtol: float, cells: int | str | None, engine: str
) -> Sampling:
    if cells is not None:
        return Sampling(None if cells == "all" else int(cells))
    segments = max((waveform.durations.size for waveform in timeline.waveforms), default=1)
    if engine == "fast" and segments <= FEW_SEGMENTS and tissue.b0.numel() <= TISSUES:
        return Sampling(segments, every=True)
    probe = probed_tissues(tissue)
    probed = program.only(probed_measurements(program, timeline, probe))
    player = player_of(engine, probed, timeline, probe, rtol, torch.float64)
    return choose_sampling(player.play, segments, probe, rtol)
