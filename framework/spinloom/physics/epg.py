"""Extended phase graphs: voxels dephased in whole cycles by regular gradients, exact, batched and differentiable.

M+(x) = sum over k of F_k exp(2 pi i k x), Mz(x) = sum over k of Z_k exp(2 pi i k x), x being the place within a voxel
in units of the cycle that one gradient dephases.  Kept are F_k, G_k = conj(F_-k) and Z_k for k >= 0:

pulse    F' = cos2(a/2) F + e^(2ip) sin2(a/2) G + i e^(ip) sin(a) Z,   G' its conjugate with F and G exchanged,
         Z' = (i/2) (e^(-ip) sin(a) F - e^(ip) sin(a) G) + cos(a) Z
time     F and G by exp(-t/T2 +- 2 pi i b0 t), Z by exp(-t/T1), Z_0 += 1 - exp(-t/T1)
gradient F_k -> F_k+1, G_k -> G_k-1, with F_0 and G_0 conjugate

The signs are those of docs/conventions.md (RF along +x turns +z towards +y); the literature mostly has the other
handedness, a -> -a (Weigel, J Magn Reson Imaging 41:266, 2015).  Pulses are instantaneous; every voxel has one T1, T2,
B1 and off-resonance.  Orders that cannot return to the echo in time are left out, which changes nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spinloom.errors import RequirementError

NEGLIGIBLE = 1e-9
"""Steady states are played until what remains of the beginning is this part of the equilibrium."""


def epg_echo_train(
    t1: Tensor,
    t2: Tensor,
    refocusing: Tensor,
    spacing: float,
    refocusing_phase: Tensor | float = 0.0,
    excitation: Tensor | float = math.pi / 2,
    excitation_phase: Tensor | float = math.pi / 2,
    b1: Tensor | float = 1.0,
    b0: Tensor | float = 0.0,
) -> Tensor:
    """M+ of each spin echo of a crushed train that begins in equilibrium, complex, shape `(*batch, echoes)`.

    The excitation is followed by `spacing / 2`, then each refocusing pulse stands between two equal crushers and
    `spacing / 2` on either side.  By default the excitation stands at 90 degrees to the refocusing pulses (Carr,
    Purcell, Meiboom, Gill), which makes all echoes -1 times their size.

    t1, t2, b1, b0: [s], [s], relative and [Hz] of each voxel, shapes that broadcast to the batch
    refocusing, refocusing_phase: flip angles and phases of the pulses at b1 = 1 [rad], shape `(echoes,)`
    excitation, excitation_phase: of the excitation [rad]
    spacing: of the echoes [s]
    """
    t1, t2, b1, b0, refocusing = _tensors(t1, t2, b1, b0, refocusing)
    echoes = refocusing.numel()
    phases = _tensors(refocusing_phase, like=refocusing)[0].expand(echoes)
    decay = _decay(spacing / 2, t1, t2, b0)
    states = _equilibrium(torch.broadcast_shapes(t1.shape, t2.shape, b1.shape, b0.shape), echoes + 1, t1)
    flip, phase = _tensors(excitation, excitation_phase, like=t1)
    states = _pulsed(states, flip, phase, b1)
    signal = []
    for flip, phase in zip(refocusing, phases, strict=True):
        states = _pulsed(_dephased(_relaxed(states, decay)), flip, phase, b1)
        states = _relaxed(_dephased(states), decay)
        signal.append(states[..., 0, 0])
    return torch.stack(signal, dim=-1)


def epg_gradient_echoes(
    t1: Tensor,
    t2: Tensor,
    flips: Tensor,
    phases: Tensor,
    tr: float,
    te: float,
    b1: Tensor | float = 1.0,
    b0: Tensor | float = 0.0,
    balanced: bool = False,
    orders: int | None = None,
) -> Tensor:
    """M+ at `te` after each pulse, in the frame of its phase, complex, shape `(*batch, pulses)`.

    Begins in equilibrium; after each echo a gradient dephases by one cycle a voxel unless `balanced`.

    flips, phases: of the pulses at b1 = 1 [rad], shape `(pulses,)`
    tr, te: between pulses, and from pulse to echo [s]
    orders: configurations to keep; None keeps all that can still return, or else those that outlive T2
    """
    t1, t2, b1, b0, flips, phases = _tensors(t1, t2, b1, b0, flips, phases)
    to_echo, cycle = _decay(te, t1, t2, b0)[0][..., 0, 0], _decay(tr, t1, t2, b0)
    kept = 1 if balanced else orders or min(flips.numel() // 2 + 1, _lasting(tr, t2))
    states = _equilibrium(torch.broadcast_shapes(t1.shape, t2.shape, b1.shape, b0.shape), kept, t1)
    signal = []
    for flip, phase in zip(flips, phases, strict=True):
        states = _pulsed(states, flip, phase, b1)
        signal.append(states[..., 0, 0] * to_echo * torch.exp(-1j * phase))
        states = _relaxed(states, cycle)
        states = states if balanced else _dephased(states)
    return torch.stack(signal, dim=-1)


def epg_steady_state(
    t1: Tensor,
    t2: Tensor,
    flip: float,
    tr: float,
    te: float,
    phase_step: float = 0.0,
    phase_curvature: float = 0.0,
    b1: Tensor | float = 1.0,
    b0: Tensor | float = 0.0,
    balanced: bool = False,
) -> Tensor:
    """M+ at `te` once the train has settled, in the frame of the pulse, complex, shape `(*batch,)`.

    Pulse n has the phase `phase_step n + phase_curvature n (n + 1) / 2` [rad]: pi and 0 for balanced SSFP, 0 and 117
    degrees for RF spoiling, 0 and 0 for SSFP-FID.  Played until the beginning is forgotten; the rest is as for
    `epg_gradient_echoes`.

    Raises `RequirementError` where that would take more than a million pulses.
    """
    longest = float(torch.as_tensor(t1).max())
    pulses = math.ceil(-math.log(NEGLIGIBLE) * longest / tr)
    if pulses > 1_000_000:
        raise RequirementError(
            f"A T1 of {longest:g} s settles after {pulses:,} repetitions of {tr:g} s; take a longer TR or a shorter T1."
        )
    number = torch.arange(pulses, dtype=torch.float64)
    phases = torch.remainder(phase_step * number + phase_curvature * number * (number + 1) / 2, 2 * math.pi)
    flips = torch.full((pulses,), flip, dtype=torch.float64)
    orders = _lasting(tr, torch.as_tensor(t2))
    return epg_gradient_echoes(t1, t2, flips, phases, tr, te, b1, b0, balanced, orders)[..., -1]


def _tensors(*values: Tensor | float, like: Tensor | None = None) -> tuple[Tensor, ...]:
    """Numbers as tensors of one real dtype and device, those of the first or of `like`."""
    first = torch.as_tensor(values[0] if like is None else like)
    dtype = first.dtype if first.is_floating_point() else torch.float64
    return tuple(torch.as_tensor(value, dtype=dtype, device=first.device) for value in values)


def _lasting(tr: float, t2: Tensor) -> int:
    """Orders after which transverse magnetisation is negligible: each one takes `tr` to reach."""
    return math.ceil(-math.log(NEGLIGIBLE) * float(t2.max()) / tr) + 1


def _equilibrium(batch: torch.Size, orders: int, like: Tensor) -> Tensor:
    """F, G and Z of every order, shape `(*batch, 3, orders)`."""
    states = torch.zeros((*batch, 3, orders), dtype=like.dtype.to_complex(), device=like.device)
    states[..., 2, 0] = 1
    return states


def _pulsed(states: Tensor, flip: Tensor, phase: Tensor, b1: Tensor) -> Tensor:
    """Turn by a flip angle and phase [rad]."""
    angle, turn = flip * b1, torch.exp(1j * phase)
    half, other = torch.cos(angle / 2) ** 2 + 0j, torch.sin(angle / 2) ** 2
    sine = 1j * torch.sin(angle)
    rows = (
        (half, other * turn**2, sine * turn),
        (other * turn.conj() ** 2, half, -sine * turn.conj()),
        (sine * turn.conj() / 2, -sine * turn / 2, torch.cos(angle) + 0j),
    )
    matrix = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    return matrix.to(states.dtype) @ states


def _decay(duration: float, t1: Tensor, t2: Tensor, b0: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of F, G and Z over `duration`, shape `(*batch, 3, 1)`, and what Z_0 gains, shape `(*batch,)`."""
    shape = torch.broadcast_shapes(t1.shape, t2.shape, b0.shape)
    transverse = torch.exp(-duration / t2 + 2j * math.pi * b0 * duration).expand(shape)
    recovery = torch.exp(-duration / t1).expand(shape)
    factors = torch.stack([transverse, transverse.conj(), recovery + 0j], dim=-1)
    return factors.to(t1.dtype.to_complex())[..., None], 1 - recovery


def _relaxed(states: Tensor, decay: tuple[Tensor, Tensor]) -> Tensor:
    factors, gain = decay
    states = states * factors
    gained = torch.nn.functional.pad(gain[..., None, None] + 0j, (0, states.shape[-1] - 1, 2, 0))
    return states + gained


def _dephased(states: Tensor) -> Tensor:
    """Shift by one cycle a voxel; what the highest order would become is dropped."""
    f, g, z = states.unbind(dim=-2)
    if f.shape[-1] == 1:
        return torch.stack([torch.zeros_like(f), torch.zeros_like(g), z], dim=-2)
    lowest = g[..., 1:2].conj()
    shifted = torch.cat([lowest, f[..., :-1]], dim=-1)
    back = torch.cat([lowest.conj(), g[..., 2:], torch.zeros_like(lowest)], dim=-1)
    return torch.stack([shifted, back, z], dim=-2)
