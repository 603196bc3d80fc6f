"""Bloch equations of water, dM/dt = A M, solved exactly wherever RF is constant.

    dM+/dt = (i D - 1 / T2) M+ + i w Mz,    dMz/dt = (1 - Mz) / T1 - Im(conj(w) M+)

with D the distance from the RF's frequency and w its nutation [rad/s].  A tissue has no place: a block of gradients
alone takes all transverse magnetisation away, and other gradients are passed over.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from spinloom import Numerics, RequirementError, Requirements, Signal, Timeline, Tissue, offsets_ppm


class FrozenSimulator:
    """Water alone, at every ADC sample of a sequence."""

    requirements = Requirements(timeline=frozenset({"rf", "adc"}), subject=frozenset({"tissue"}))

    def __init__(self, numerics: Numerics) -> None:
        self._numerics = numerics

    def check(self, timeline: Timeline, subject: Tissue) -> None:
        """Refuse what this simulator does not know."""
        if subject.pools or subject.isochromats:
            raise RequirementError(
                f"Simulator 'frozen' knows water alone, but '{subject.name}' has more; take simulator=cest."
            )

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """Play `timeline` on `subject`; differentiable with respect to the tissue."""
        tissue = subject.to(self._numerics.dtype, self._numerics.device)
        larmor, zero = float(subject.larmor.detach().mean()), torch.zeros_like(tissue.b0)
        start = torch.stack([zero, zero, tissue.initial_scale, zero + 1], dim=-1)
        state, samples, times = start, [], []
        for block in timeline.blocks():
            now = 0.0
            if block.rf is not None:
                rf, wave = block.rf, timeline.waveforms[block.rf.waveform]
                state = _advanced(tissue, state, rf.delay)
                nutation = 2 * math.pi * rf.amplitude * np.exp(1j * rf.phase(larmor)) * wave.values
                for seconds, w in zip(wave.durations.tolist(), nutation.tolist(), strict=True):
                    state = _advanced(tissue, state, seconds, w, rf.frequency(larmor))
                state = _turned(state, 2 * math.pi * rf.frequency(larmor) * wave.duration)
                now = rf.delay + wave.duration
            if block.adc is not None:
                reads = block.adc.sample_times() if block.adc.samples > 1 else np.array([block.adc.delay])
                for time in reads.tolist():
                    state, now = _advanced(tissue, state, time - now), time
                    samples.append(state)
                times.append(block.start + reads)
            elif block.gradients and block.rf is None:
                state = state * state.new_tensor([0, 0, 1, 1])
            state = start if block.adc and tissue.reset else _advanced(tissue, state, block.duration - now)
        found = torch.stack(samples, dim=-1) if samples else start[..., None][..., :0]
        offsets, notes = offsets_ppm(timeline, subject)
        return Signal(
            mz=found[..., 2, :],
            mxy=torch.complex(found[..., 0, :], found[..., 1, :]),
            time=np.concatenate(times),
            measurement=np.repeat(np.arange(len(times)), [part.size for part in times]),
            offset_ppm=offsets,
            notes=("Gradients spoil where they are alone, and are passed over elsewhere.", *notes),
        )


def _advanced(tissue: Tissue, state: Tensor, seconds: float, w: complex = 0j, frequency: float = 0.0) -> Tensor:
    """The state after RF of nutation `w` [rad/s] at `frequency` [Hz], in its frame."""
    detuning = 2 * math.pi * (tissue.larmor * tissue.b0_shift_ppm * 1e-6 - frequency)
    r1, r2, x, y = 1 / tissue.water.t1, 1 / tissue.water.t2, w.real * tissue.rel_b1, w.imag * tissue.rel_b1
    zero = torch.zeros_like(r1)
    rows = [(-r2, -detuning, -y, zero), (detuning, -r2, x, zero), (y, -x, -r1, r1), (zero, zero, zero, zero)]
    generator = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    return (torch.linalg.matrix_exp(generator * seconds) @ state[..., None])[..., 0]


def _turned(state: Tensor, angle: float) -> Tensor:
    """The state as the Larmor frame sees what a frame that turned by `angle` [rad] left."""
    c, s, (x, y, z, one) = math.cos(angle), math.sin(angle), state.unbind(-1)
    return torch.stack([c * x - s * y, s * x + c * y, z, one], dim=-1)
