"""The multi-pool engine behind one function: a timeline and a batch of tissues in, magnetisation of water out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError
from spinloom.physics.accuracy import FEWEST_CELLS, Sampling, choose_sampling
from spinloom.physics.changed_timeline import changed_timeline
from spinloom.physics.chunks import in_chunks
from spinloom.physics.fields import fields_apart, picked, put_together
from spinloom.physics.isochromats import sentences, with_isochromats
from spinloom.physics.players import Player, choose_engine, player_of
from spinloom.physics.pool_changes import PoolChanges, refuse_scaled_gradients
from spinloom.physics.probing import probed_measurements, probed_tissues
from spinloom.physics.propagation import common_larmor
from spinloom.physics.sequence_changes import SequenceChanges, checked
from spinloom.physics.stepwise import steps_pay
from spinloom.sequence.replay import PHYSICAL, PULSEQ_CEST, replay
from spinloom.sequence.silence import without_silence
from spinloom.sequence.steps import StepProgram, step_program
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue


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
    changes: SequenceChanges | None = None,
) -> PoolSolution:
    """Solve the Bloch-McConnell equations of `tissue` under `timeline`.

    rtol: largest error of the signal by the sampling of pulses, in units of the equilibrium magnetisation
    cells: at least so many cells a pulse instead, or `all` for every sample of the file
    progress: called after each chunk of a batch with the tissues that are done and their number
    timing: `physical`, or `pulseq_cest` for the times, samples and phases of that program, to compare with its results
    shape_phase: which way round the phases of RF shapes turn, `pulseq` or `pulseq_cest`; by default that of the timing
    engine: `fast` compiled loops, `readable` matrices in torch, or `auto`, fast wherever it applies
    changes: of pulses and delays, by how much the sequence is played otherwise than `timeline` says

    Differentiable with respect to every parameter of the tissue and to `changes`, by the readable engine whatever was
    asked for.
    """
    if changes is not None:
        changes = _checked(changes, timeline, timing)
    whole = tissue.flatten().to(torch.float64, device)
    numbers, tissues, done = fields_apart(timeline, whole), whole.b0.numel(), 0
    asked = _Asked(rtol, "all" if timing == PULSEQ_CEST else cells, dtype, timing, shape_phase, engine, changes)
    parts = []
    for number in numbers:
        report = None if progress is None else _after(done, tissues, progress)
        together = whole if len(numbers) == 1 else picked(whole, number)
        parts.append(_solve(timeline, together, asked, report))
        done += number.numel()
    shape = (*tissue.batch_shape, parts[0].time.size)
    return replace(
        parts[0],
        mz=put_together([part.mz for part in parts], numbers).reshape(shape),
        mxy=put_together([part.mxy for part in parts], numbers).reshape(shape),
    )


def _after(done: int, tissues: int, progress: Callable[[int, int], None]) -> Callable[[int], None]:
    """Progress of a part of the tissues, before which `done` were solved."""
    return lambda ready: progress(done + ready, tissues)


@dataclass(frozen=True)
class _Asked:
    """What `solve_pools` is asked for besides a timeline and tissues."""

    rtol: float
    cells: int | str | None
    dtype: torch.dtype
    timing: str
    shape_phase: str | None
    engine: str
    changes: SequenceChanges | None


def _checked(changes: SequenceChanges, timeline: Timeline, timing: str) -> SequenceChanges:
    refuse_scaled_gradients(changes)
    if timing != PHYSICAL:
        raise ConfigurationError(f"timing is '{timing}', which plays no changes of the sequence; take '{PHYSICAL}'.")
    return checked(changes, timeline)


def _solve(timeline: Timeline, tissue: Tissue, asked: _Asked, progress: Callable[[int], None] | None) -> PoolSolution:
    """The solution for a flat batch in one field, or under a timeline that does not ask which."""
    changed = timeline if asked.changes is None else changed_timeline(timeline, asked.changes)
    played = replay(changed, asked.timing, asked.shape_phase, tissue.max_pulse_samples, common_larmor(tissue))
    played = without_silence(played)
    program, spins = step_program(played), with_isochromats(tissue)
    slopes = None
    if asked.changes is not None and asked.changes.differentiable:
        slopes = PoolChanges.of(timeline, asked.changes, played)
    engine = choose_engine(spins, "readable" if spins.requires_grad or slopes is not None else asked.engine)
    player = player_of(engine, program, played, spins, asked.rtol, asked.dtype, slopes)
    sampling = _sampling(program, player, spins, asked.rtol, asked.cells)
    mz, mxy = in_chunks(player, tissue, sampling.cells, progress)
    said = () if asked.changes is None else asked.changes.sentences
    notes = (*program.notes, *said, sampling.sentence(), f"Played by the {engine} engine.", *sentences(tissue))
    return PoolSolution(mz, mxy, program.time, program.measurement, notes)


def _sampling(program: StepProgram, player: Player, tissue: Tissue, rtol: float, cells: int | str | None) -> Sampling:
    if cells is not None:
        return Sampling(None if cells == "all" else int(cells))
    timeline, probe = player.program.timeline, probed_tissues(tissue)
    segments = max((waveform.durations.size for waveform in timeline.waveforms), default=1)
    if segments <= FEWEST_CELLS or (
        player.name == "fast" and steps_pay(player.program, probe, FEWEST_CELLS, player.tolerance)
    ):
        return Sampling(segments, every=True)
    probed = program.only(probed_measurements(program, timeline, probe))
    few = player_of(player.name, probed, timeline, probe, rtol, torch.float64)
    return choose_sampling(few.play, segments, probe, rtol)
