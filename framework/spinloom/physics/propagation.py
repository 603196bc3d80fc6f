"""Play a step program on a batch of tissues, with every distinct pulse and delay solved once.

A pulse of phase p and frequency f acts as Rz(p + 2 pi f T) U Rz(-p): U is solved in the frame that rotates at f, and
the last turn brings the magnetisation back to the Larmor frame in which delays evolve.  U depends on waveform,
amplitude and frequency alone, so that a train of pulses that differ in phase is solved once.  Propagators
are solved in float64 whatever the type of the magnetisation, because a delay of seconds squares rounding errors
many times over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from spinloom.physics.bloch_mcconnell import Layout, equilibrium, generator, rf_generators
from spinloom.physics.matrix_exponential import matrix_exp
from spinloom.physics.sampling import SampledPulse, enough_cells, sample_pulse
from spinloom.sequence.steps import Free, MeasurementEnd, Pulse, Sample, Spoil, StepProgram
from spinloom.sequence.timeline import RfEvent, Timeline
from spinloom.tissue.pools import Tissue

MATRICES_IN_FLIGHT = 2_000_000
"""Matrix elements that one batched exponential may hold: 16 MB, so that it stays near the cache."""

MATRICES_KEPT = 13
"""Matrices that the gradient of one cell keeps, as measured."""

GRADIENT_BUDGET = 2 * 2**30
"""Bytes that gradients may keep of solving pulses; beyond, pulses are solved again when gradients are taken."""

Number = Tensor | float

Move = Tensor | Spoil | Sample | MeasurementEnd
"""What magnetisation meets: a propagator, shape `(batch, size, size)`, or one of the steps without one."""


@dataclass(frozen=True)
class PulseKey:
    """What a pulse's propagator depends on besides the tissue."""

    waveform: int
    amplitude: float
    frequency: float


class Propagators:
    """Solutions of the distinct pulses and delays of a timeline for one batch of tissues (float64, flat batch).

    cells: how many cells sample each pulse; None solves every segment of the file
    """

    def __init__(self, timeline: Timeline, tissue: Tissue, cells: int | None) -> None:
        self._timeline = timeline
        self._tissue = tissue
        self._cells = cells
        self._larmor = common_larmor(tissue)
        self._pulses: dict[PulseKey, Tensor] = {}
        self._delays: dict[float, Tensor] = {}
        self._solve = solve_again_for_gradients if self._steps_exceed_budget() else solve_pulse

    def _steps_exceed_budget(self) -> bool:
        """Whether gradients are asked for that would keep more than `GRADIENT_BUDGET`."""
        if not self._tissue.requires_grad:
            return False
        pulses = {(event.waveform, event.amplitude, event.frequency_offset) for event in self._timeline.rf}
        segments = [self._timeline.waveforms[waveform].durations.size for waveform, _, _ in pulses]
        return beyond_budget(self._tissue, segments, self._cells)

    def key(self, event: RfEvent) -> tuple[PulseKey, float, float]:
        """What the solution of an RF event depends on, and the turns of the frame before and after it [rad]."""
        frequency, phase = event.frequency(self._larmor), event.phase(self._larmor)
        turned = 2 * math.pi * ((frequency * self._timeline.waveforms[event.waveform].duration) % 1.0)
        return PulseKey(event.waveform, event.amplitude, frequency), -phase, phase + turned

    def pulse(self, event: RfEvent) -> Tensor:
        """Propagator of an RF event from its first sample to its last, Larmor frame to Larmor frame."""
        key, turn_before, turn_after = self.key(event)
        if key not in self._pulses:
            waveform = self._timeline.waveforms[key.waveform]
            sampled = sample_pulse(waveform, enough_cells(self._cells, waveform.duration * abs(key.frequency)))
            self._pulses[key] = self._solve(self._tissue, sampled, key.amplitude, key.frequency)
        layout = Layout.of(self._tissue)
        before = rotation(layout, turn_before, self._pulses[key])
        after = rotation(layout, turn_after, before)
        return after @ self._pulses[key] @ before

    def delay(self, duration: float) -> Tensor:
        """Propagator of free precession in the Larmor frame."""
        if duration not in self._delays:
            still = torch.zeros_like(self._tissue.b0)
            self._delays[duration] = matrix_exp(generator(self._tissue, still) * duration)
        return self._delays[duration]

    def moves(self, program: StepProgram) -> Iterator[Move]:
        """The steps of a program."""
        for step in program.steps:
            match step:
                case Pulse(rf):
                    yield self.pulse(self._timeline.rf[rf])
                case Free(duration):
                    yield self.delay(duration)
                case _:
                    yield step


def beyond_budget(tissue: Tissue, segments: list[int], cells: int | None) -> bool:
    """Whether gradients would keep more than `GRADIENT_BUDGET` of solving pulses of so many segments."""
    solved = sum(size if cells is None else min(size, cells) for size in segments)
    matrix = Layout.of(tissue).size ** 2 * tissue.b0.numel() * 8
    return solved * matrix * MATRICES_KEPT > GRADIENT_BUDGET


def solve_again_for_gradients(tissue: Tissue, pulse: SampledPulse, amplitude: Number, frequency: Number) -> Tensor:
    """What `solve_pulse` gives; its steps are not kept but taken again when gradients are."""
    return checkpoint(solve_pulse, tissue, pulse, amplitude, frequency, use_reentrant=False, preserve_rng_state=False)


def solve_pulse(tissue: Tissue, pulse: SampledPulse, amplitude: Number, frequency: Number) -> Tensor:
    """Propagator of a sampled pulse of phase 0 in the frame of its own frequency, shape `(batch, size, size)`.

    tissue: flat batch in float64
    amplitude, frequency: nutation frequency at envelope 1, and offset [Hz]
    """
    offset = torch.zeros_like(tissue.b0) + frequency
    free, (x, y, saturation) = generator(tissue, offset), rf_generators(tissue, offset)
    nutation = 2 * torch.pi * amplitude * tissue.rel_b1
    steps = max(1, MATRICES_IN_FLIGHT // free.numel())
    total: Tensor | None = None
    for start in range(0, pulse.length.size, steps):
        part = slice(start, start + steps)
        exponents = _magnus(free, x, y, saturation, nutation, pulse, part)
        product = _ordered_product(matrix_exp(exponents))
        total = product if total is None else product @ total
    assert total is not None
    return total


def _magnus(
    free: Tensor, x: Tensor, y: Tensor, saturation: Tensor, nutation: Tensor, pulse: SampledPulse, part: slice
) -> Tensor:
    """Exponents of the cells in `part`, shape `(cells, batch, size, size)`; equation in `sampling`."""

    def cellwise(values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=free.dtype, device=free.device)[:, None, None, None]

    def rf(envelope: np.ndarray, power: np.ndarray) -> Tensor:
        w = nutation[:, None, None]
        turned = cellwise(envelope.real) * w * x + cellwise(envelope.imag) * w * y
        return turned + cellwise(power) * w**2 * torch.diag_embed(saturation)

    length = cellwise(pulse.length[part])
    zeroth = length * (free + rf(pulse.mean[part], pulse.power[part]))
    if pulse.constant:
        return zeroth
    first = length * rf(pulse.slope[part], pulse.power_slope[part])
    return zeroth + first @ zeroth - zeroth @ first


def _ordered_product(factors: Tensor) -> Tensor:
    """Product of matrices along the first axis, later factors to the left."""
    while factors.shape[0] > 1:
        odd = factors[-1:] if factors.shape[0] % 2 else None
        paired = factors[: factors.shape[0] // 2 * 2]
        factors = paired[1::2] @ paired[0::2]
        if odd is not None:
            factors = torch.cat([factors, odd])
    return factors[0]


def rotation(layout: Layout, angle: Number, like: Tensor) -> Tensor:
    """Rotation of the transverse components by `angle` [rad], counter-clockwise, shape `(size, size)`."""
    matrix = torch.eye(layout.size, dtype=like.dtype, device=like.device)
    turn = torch.as_tensor(angle, dtype=like.dtype, device=like.device)
    cosine, sine = torch.cos(turn), torch.sin(turn)
    pools = torch.arange(layout.pools)
    matrix[pools, pools] = matrix[pools + layout.pools, pools + layout.pools] = cosine
    matrix[pools, pools + layout.pools], matrix[pools + layout.pools, pools] = -sine, sine
    return matrix


def play(moves: Iterable[Move], tissue: Tissue, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mz and complex Mxy of water at every sample, relative to its equilibrium, shapes `(batch, samples)`."""
    layout = Layout.of(tissue)
    start = equilibrium(tissue) * torch.cat(
        [tissue.initial_scale[:, None].expand(-1, layout.size - 1), torch.ones_like(tissue.b0)[:, None]], dim=-1
    )
    transverse = torch.ones(layout.size, dtype=dtype, device=start.device)
    transverse[: 2 * layout.pools] = 0.0
    state = start = start.to(dtype)
    samples = []
    for move in moves:
        match move:
            case Tensor():
                state = _apply(move, state)
            case Spoil():
                state = state * transverse
            case Sample():
                samples.append(state)
            case MeasurementEnd():
                state = start if tissue.reset else state
    taken = torch.stack(samples, dim=1)
    scale = tissue.water.f[:, None].to(dtype)
    mz = taken[..., layout.z.start] / scale
    mxy = torch.complex(taken[..., 0], taken[..., layout.pools]) / scale
    return mz, mxy


def _apply(propagator: Tensor, state: Tensor) -> Tensor:
    return (propagator.to(state.dtype) @ state[..., None])[..., 0]


def common_larmor(tissue: Tissue) -> float:
    """The Larmor frequency [Hz] that scales ppm terms of the sequence: that of the scanner, one for all tissues."""
    return float(tissue.larmor.detach().mean())
