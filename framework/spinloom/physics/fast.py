"""The fast engine on the CPU: the same physics and sampling as `propagation`, on the loops of `kernels`.

It solves the distinct pulses of a program by the cheapest of three ways: a Taylor series (`series`), interpolated
exponentials far off resonance (`far_pulses`), one exponential a segment where there are few (`exponentials`).  Then it
plays the steps tissue by tissue.  It has no gradients; `star.star_of` says where it can stand in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.bloch_mcconnell import Layout, equilibrium, generator, rf_generators
from spinloom.physics.exponentials import exponentials
from spinloom.physics.far_pulses import solve_far
from spinloom.physics.kernels import play_train
from spinloom.physics.propagation import MATRICES_IN_FLIGHT, Propagators, PulseKey, solve_pulse
from spinloom.physics.sampling import SampledPulse, sample_pulse
from spinloom.physics.series import SERIES_RADIUS, Series, first_half, in_parts, is_symmetric, spectral_radius
from spinloom.physics.star import Star
from spinloom.sequence.steps import Free, MeasurementEnd, Pulse, Sample, Spoil, StepProgram
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.tissue.pools import Tissue

MOST_PARTS = 4
"""A pulse whose cells would be cut into more parts than this is solved by matrix exponentials instead."""


@dataclass(frozen=True, eq=False)
class FastProgram:
    """A step program as the kernels take it: its distinct pulses and delays, and its steps in their terms.

    keys: distinct pulses; durations: distinct delays [s]
    steps: kind, index and turns of each step, as `kernels.play_train` takes them
    """

    timeline: Timeline
    keys: list[PulseKey]
    durations: list[float]
    steps: tuple[np.ndarray, ...]
    samples: int

    @classmethod
    def of(cls, program: StepProgram, timeline: Timeline, tissue: Tissue) -> FastProgram:
        """Count the distinct pulses and delays of `program`, at the Larmor frequency of `tissue`."""
        propagators = Propagators(timeline, tissue, None)
        played = dict.fromkeys(step.rf for step in program.steps if isinstance(step, Pulse))
        pulses = {rf: propagators.key(timeline.rf[rf]) for rf in played}
        keys = list(dict.fromkeys(key for key, _, _ in pulses.values()))
        durations = sorted({step.duration for step in program.steps if isinstance(step, Free)})
        return cls(timeline, keys, durations, _steps(program, pulses, keys, durations), program.time.size)


def play_fast(
    program: FastProgram, tissue: Tissue, star: Star, cells: int | None, tolerance: float, threads: int
) -> tuple[Tensor, Tensor]:
    """Mz and complex Mxy of water at every sample, relative to its equilibrium, shapes `(batch, samples)`.

    tolerance: of each Taylor series, relative to the magnetisation
    """
    pulses = _solve_keys(program.keys, program.timeline, tissue, star, cells, tolerance, threads)
    still = generator(tissue, torch.zeros_like(tissue.b0))
    delays = np.empty((star.weights.shape[0], len(program.durations), *pulses.shape[2:]))
    for number, duration in enumerate(program.durations):
        delays[:, number] = _by_columns(exponentials(still * duration))
    return _play(program.steps, pulses, delays, tissue, star.layout, program.samples, threads)


def _solve_keys(
    keys: list[PulseKey],
    timeline: Timeline,
    tissue: Tissue,
    star: Star,
    cells: int | None,
    tolerance: float,
    threads: int,
) -> np.ndarray:
    """Propagators of every key by columns, the source's last, shape `(tissues, keys, size + 1, size)`."""
    size = star.layout.size - 1
    tissues = star.weights.shape[0]
    out = np.empty((tissues, len(keys), size + 1, size))
    nutation = 2 * np.pi * tissue.rel_b1.numpy()
    for waveform in sorted({key.waveform for key in keys}):
        symmetric = cells is not None and is_symmetric(timeline.waveforms[waveform])
        envelope = first_half(timeline.waveforms[waveform]) if symmetric else timeline.waveforms[waveform]
        sampled = sample_pulse(envelope, None if cells is None else max(1, cells // 2) if symmetric else cells)
        longest = float(sampled.length.max())
        series, exact = [], []
        for number in (n for n, key in enumerate(keys) if key.waveform == waveform):
            radius = spectral_radius(keys[number], star, sampled, nutation, star.fastest / 2) * longest
            few = sampled.length.size < 4 or radius > MOST_PARTS * SERIES_RADIUS
            if few:
                exact.append(number)
            else:
                series.append(number)
        if exact and sampled.length.size < 4:
            _solve_constant(tissue, sampled, [keys[number] for number in exact], out, exact)
        for number in exact if sampled.length.size >= 4 else ():
            out[:, number] = _by_columns(_solve_far(tissue, timeline.waveforms[waveform], keys[number], cells))
        if series:
            jobs = Series(tissue, star, sampled, [keys[number] for number in series], tolerance, nutation)
            out[:, series] = jobs.halves(threads) if symmetric else jobs.whole(threads)
    return out


def _solve_constant(
    tissue: Tissue, pulse: SampledPulse, keys: list[PulseKey], out: np.ndarray, numbers: list[int]
) -> None:
    """Pulses of few constant segments, many keys at once, into the places `numbers` of `out`."""
    most = max(1, MATRICES_IN_FLIGHT // (tissue.b0.numel() * Layout.of(tissue).size ** 2))
    for start in range(0, len(keys), most):
        part = slice(start, start + most)
        frequency = torch.tensor([[key.frequency] for key in keys[part]], dtype=torch.float64).expand(
            -1, tissue.b0.numel()
        )
        amplitude = torch.tensor([[key.amplitude] for key in keys[part]], dtype=torch.float64)
        free, (x, y, saturation) = generator(tissue, frequency), rf_generators(tissue, frequency)
        nutation = (2 * torch.pi * amplitude * tissue.rel_b1)[..., None, None]
        total: Tensor | None = None
        for length, mean, power in zip(pulse.length, pulse.mean, pulse.power, strict=True):
            rf = nutation * (mean.real * x + mean.imag * y) + power * nutation**2 * torch.diag_embed(saturation)
            segment = exponentials(length * (free + rf))
            total = segment if total is None else segment @ total
        assert total is not None
        for number, solution in zip(numbers[part], total, strict=True):
            out[:, number] = _by_columns(solution)


def _solve_far(tissue: Tissue, waveform: RfWaveform, key: PulseKey, cells: int | None) -> Tensor:
    if np.any(waveform.values.imag):
        return solve_pulse(tissue, sample_pulse(waveform, cells), key.amplitude, key.frequency)
    return solve_far(tissue, waveform, key.amplitude, key.frequency)


def _steps(
    program: StepProgram,
    pulses: Mapping[int, tuple[PulseKey, float, float]],
    keys: list[PulseKey],
    durations: list[float],
) -> tuple[np.ndarray, ...]:
    """Kind, index and turns of each step; `pulses` holds the key and the turns of each RF event that is played."""
    number_of, delay_of = {key: n for n, key in enumerate(keys)}, {value: n for n, value in enumerate(durations)}
    rf_rows = {
        rf: (0, number_of[key], math.cos(before), math.sin(before), math.cos(after), math.sin(after))
        for rf, (key, before, after) in pulses.items()
    }
    rows = []
    for step in program.steps:
        match step:
            case Pulse(rf):
                rows.append(rf_rows[rf])
            case Free(duration):
                rows.append((1, delay_of[duration], 1.0, 0.0, 1.0, 0.0))
            case Spoil():
                rows.append((2, 0, 1.0, 0.0, 1.0, 0.0))
            case Sample(index):
                rows.append((3, index, 1.0, 0.0, 1.0, 0.0))
            case MeasurementEnd():
                rows.append((4, 0, 1.0, 0.0, 1.0, 0.0))
    table = np.array(rows, dtype=np.float64)
    whole = tuple(table[:, column].astype(np.int64) for column in (0, 1))
    return whole + tuple(np.ascontiguousarray(table[:, column]) for column in range(2, 6))


def _play(
    steps: tuple[np.ndarray, ...],
    pulses: np.ndarray,
    delays: np.ndarray,
    tissue: Tissue,
    layout: Layout,
    samples: int,
    threads: int,
) -> tuple[Tensor, Tensor]:
    start = (equilibrium(tissue)[:, :-1] * tissue.initial_scale[:, None]).numpy()
    mz, mx, my = (np.zeros((start.shape[0], samples)) for _ in range(3))

    def run(part: slice) -> None:
        play_train(
            *steps, pulses[part], delays[part], start[part], tissue.reset, layout.pools, mz[part], mx[part], my[part]
        )

    in_parts(run, start.shape[0], threads)
    scale = tissue.water.f[:, None]
    return torch.from_numpy(mz) / scale, torch.complex(torch.from_numpy(mx), torch.from_numpy(my)) / scale


def _by_columns(propagator: Tensor) -> np.ndarray:
    """A propagator with an appended 1 as columns without its last row, shape `(tissues, size + 1, size)`."""
    return np.ascontiguousarray(propagator[:, :-1].transpose(1, 2).numpy())
