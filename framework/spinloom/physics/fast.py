"""The fast engine on the CPU: the same physics and sampling as `propagation`, on compiled loops.

It solves the distinct pulses of a program by the cheapest of three ways: a Taylor series (`series`), interpolated
exponentials far off resonance (`far_pulses`), one exponential a segment where there are few (`constant_pulses`).  Then
it plays the steps.  It has no gradients; `star.star_of` says where it can stand in.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.bloch_mcconnell import equilibrium, rf_generators
from spinloom.physics.constant_pulses import Delays, solve_constant, solve_delays
from spinloom.physics.far_pulses import solve_far
from spinloom.physics.fast_program import FastProgram
from spinloom.physics.kernels import play_train
from spinloom.physics.propagation import PulseKey, solve_pulse
from spinloom.physics.sampling import FAR, SampledPulse, enough_cells, sample_pulse
from spinloom.physics.series import SERIES_RADIUS, Series, first_half, in_parts, is_symmetric, spectral_radii
from spinloom.physics.star import Star
from spinloom.physics.train_lanes import fits, play_lanes
from spinloom.sequence.timeline import RfWaveform
from spinloom.tissue.pools import Tissue

MOST_PARTS = 4
"""A pulse whose cells would be cut into more parts than this is solved by matrix exponentials instead."""

FEW_SEGMENTS = 3
"""Pulses of so many segments at most are solved by one exponential each."""


def play_fast(
    program: FastProgram, tissue: Tissue, star: Star, cells: int | None, tolerance: float, threads: int
) -> tuple[Tensor, Tensor]:
    """Mz and complex Mxy of water at every sample, relative to its equilibrium, shapes `(batch, samples)`.

    tolerance: of each Taylor series, relative to the magnetisation
    """
    pulses = _solve_keys(program, tissue, star, cells, tolerance, threads)
    return _play(program, pulses, solve_delays(star, program.durations), tissue, star, threads)


def _solve_keys(
    program: FastProgram, tissue: Tissue, star: Star, cells: int | None, tolerance: float, threads: int
) -> np.ndarray:
    """Propagators of every key by columns, the source's last, shape `(keys, tissues, size + 1, size)`."""
    size = star.layout.size - 1
    out = np.empty((len(program.keys), star.weights.shape[0], size + 1, size))
    for (waveform, sampled), numbers in _alike(program, cells).items():
        form, keys = program.timeline.waveforms[waveform], [program.keys[number] for number in numbers]
        if form.durations.size <= FEW_SEGMENTS:
            out[numbers] = _solve_constant(tissue, star, form, keys)
        else:
            out[numbers] = _solve_shaped(tissue, star, form, keys, sampled, tolerance, threads)
    return out


def _alike(program: FastProgram, cells: int | None) -> dict[tuple[int, int | None], list[int]]:
    """Numbers of the keys of each waveform that are sampled alike, by waveform and cells."""
    groups: dict[tuple[int, int | None], list[int]] = {}
    for number, key in enumerate(program.keys):
        turns = program.timeline.waveforms[key.waveform].duration * abs(key.frequency)
        groups.setdefault((key.waveform, _stepped(cells, enough_cells(cells, turns))), []).append(number)
    return groups


def _stepped(cells: int | None, wanted: int | None) -> int | None:
    """The next of `cells`, half as many more, and so on that is not below `wanted`."""
    while cells is not None and wanted is not None and cells < wanted:
        cells = cells + (cells + 1) // 2
    return cells


def _solve_shaped(
    tissue: Tissue,
    star: Star,
    form: RfWaveform,
    keys: list[PulseKey],
    cells: int | None,
    tolerance: float,
    threads: int,
) -> np.ndarray:
    """What `_solve_keys` gives, for keys of one waveform."""
    nutation = 2 * np.pi * tissue.rel_b1.numpy()
    symmetric = cells is not None and is_symmetric(form)
    sampled = sample_pulse(first_half(form), (cells + 1) // 2) if cells and symmetric else sample_pulse(form, cells)
    near = np.flatnonzero(_near(keys, form, star, sampled, nutation, cells))
    if near.size == len(keys):
        jobs = Series(tissue, star, sampled, keys, tolerance, nutation)
        return jobs.halves(threads) if symmetric else jobs.whole(threads)
    size = star.layout.size - 1
    out = np.empty((len(keys), star.weights.shape[0], size + 1, size))
    for number in np.setdiff1d(np.arange(len(keys)), near):
        out[number] = _solve_far(tissue, form, keys[number], cells)[:, :-1].transpose(1, 2).numpy()
    if near.size:
        out[near] = _solve_shaped(tissue, star, form, [keys[number] for number in near], cells, tolerance, threads)
    return out


def _near(
    keys: list[PulseKey], form: RfWaveform, star: Star, sampled: SampledPulse, nutation: np.ndarray, cells: int | None
) -> np.ndarray:
    """Whether a series solves each key: few parts a cell, and not so far off resonance that cells must alias."""
    radii = spectral_radii(keys, star, sampled, nutation, star.fastest / 2)
    few = radii * float(sampled.length.max()) <= MOST_PARTS * SERIES_RADIUS
    turns = np.array([key.frequency for key in keys]) * form.duration
    aliased = cells is not None and cells < form.durations.size and not np.any(form.values.imag)
    return few & ~(aliased & (np.abs(turns) >= FAR))


def _solve_constant(tissue: Tissue, star: Star, form: RfWaveform, keys: list[PulseKey]) -> np.ndarray:
    sampled = sample_pulse(form, None)
    frequency, amplitude = (np.array([getattr(key, name) for key in keys]) for name in ("frequency", "amplitude"))
    return solve_constant(
        star,
        absorptions(tissue, frequency),
        2 * np.pi * amplitude[:, None] * tissue.rel_b1.numpy(),
        2 * np.pi * frequency,
        (sampled.length, sampled.mean, sampled.power),
    )


def absorptions(tissue: Tissue, frequency: np.ndarray) -> np.ndarray:
    """L [s] of every semisolid pool at each frequency [Hz], shape `(frequencies, pools, tissues)`."""
    bound = len(tissue.semisolid)
    if not bound:
        return np.zeros((frequency.size, 0, tissue.b0.numel()))
    each, which = np.unique(frequency, return_inverse=True)
    _, _, saturation = rf_generators(tissue, torch.from_numpy(each)[:, None].expand(-1, tissue.b0.numel()))
    return np.ascontiguousarray(-saturation[..., -1 - bound : -1].transpose(1, 2).numpy()[which])


def _solve_far(tissue: Tissue, waveform: RfWaveform, key: PulseKey, cells: int | None) -> Tensor:
    if np.any(waveform.values.imag):
        return solve_pulse(tissue, sample_pulse(waveform, cells), key.amplitude, key.frequency)
    return solve_far(tissue, waveform, key.amplitude, key.frequency)


def _play(
    program: FastProgram, pulses: np.ndarray, delays: Delays, tissue: Tissue, star: Star, threads: int
) -> tuple[Tensor, Tensor]:
    start = (equilibrium(tissue)[:, :-1] * tissue.initial_scale[:, None]).numpy()
    mz, mx, my = (np.zeros((start.shape[0], program.samples)) for _ in range(3))
    steps = (program.kind, program.index, np.cos(program.turn), np.sin(program.turn))
    on_lanes = fits(start.shape[0] // threads, len(program.keys) + program.durations.size, start.shape[1])

    def run(part: slice) -> None:
        (play_lanes if on_lanes else play_train)(
            *steps,
            pulses[:, part],
            delays.across[:, part],
            delays.along[:, part],
            start[part],
            tissue.reset,
            star.layout.pools,
            mz[part],
            mx[part],
            my[part],
        )

    in_parts(run, start.shape[0], threads)
    scale = tissue.water.f[:, None]
    return torch.from_numpy(mz) / scale, torch.complex(torch.from_numpy(mx), torch.from_numpy(my)) / scale
