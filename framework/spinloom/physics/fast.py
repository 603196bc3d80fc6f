"""The fast engine on the CPU: the same physics and sampling as `propagation`, on compiled loops.

Every distinct pulse and delay of a program is solved once (`constant_pulses`, `shaped_pulses`), then its steps are
played.  It has no gradients; `star.star_of` says where it can stand in.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.bloch_mcconnell import equilibrium
from spinloom.physics.constant_pulses import Delays, solve_constant, solve_delays
from spinloom.physics.envelope import Envelope
from spinloom.physics.fast_program import FastProgram
from spinloom.physics.propagation import PulseKey
from spinloom.physics.series import absorptions, in_parts
from spinloom.physics.shaped_pulses import solve_shaped
from spinloom.physics.star import Star, star_of
from spinloom.physics.train_lanes import TISSUES, fits, play_lanes
from spinloom.physics.trains import play_train
from spinloom.tissue.pools import Tissue


def play_fast(
    program: FastProgram, tissue: Tissue, cells: int | None, tolerance: float, threads: int
) -> tuple[Tensor, Tensor]:
    """Mz and complex Mxy of water at every sample, relative to its equilibrium, shapes `(batch, samples)`.

    tissue: a flat batch in star exchange
    tolerance: of each Taylor series, relative to the magnetisation
    threads: share the tissues, or the pulses where there are few tissues
    """
    tissues = tissue.b0.numel()
    mz, mx, my = (np.empty((tissues, program.samples)) for _ in range(3))
    apart = threads if tissues >= TISSUES * threads else 1

    def run(part: slice) -> None:
        mine = tissue[part]
        star = star_of(mine)
        assert star is not None
        pulses = _solve_keys(program, mine, star, cells, tolerance, threads // apart)
        _play(program, pulses, solve_delays(star, program.durations), mine, star, mz[part], mx[part], my[part])

    in_parts(run, tissues, apart)
    scale = tissue.water.f[:, None]
    return torch.from_numpy(mz) / scale, torch.complex(torch.from_numpy(mx), torch.from_numpy(my)) / scale


def _solve_keys(
    program: FastProgram, tissue: Tissue, star: Star, cells: int | None, tolerance: float, threads: int
) -> np.ndarray:
    """Propagators of every key by columns, the source's last, shape `(keys, tissues, size + 1, size)`."""
    size = star.layout.size - 1
    out = np.empty((len(program.keys), star.weights.shape[0], size + 1, size))
    for envelope, part in program.by_envelope:
        keys = program.keys[part]
        if envelope.few:
            out[part] = _solve_constant(envelope, keys, tissue, star)
        else:
            solve_shaped(envelope, keys, tissue, star, cells, tolerance, threads, out[part])
    return out


def _solve_constant(envelope: Envelope, keys: list[PulseKey], tissue: Tissue, star: Star) -> np.ndarray:
    sampled = envelope.sampled(None, False)
    frequency, amplitude = (np.array([getattr(key, name) for key in keys]) for name in ("frequency", "amplitude"))
    return solve_constant(
        star,
        absorptions(tissue, frequency),
        2 * np.pi * amplitude[:, None] * tissue.rel_b1.numpy(),
        2 * np.pi * frequency,
        (sampled.length, sampled.mean, sampled.power),
    )


def _play(
    program: FastProgram,
    pulses: np.ndarray,
    delays: Delays,
    tissue: Tissue,
    star: Star,
    mz: np.ndarray,
    mx: np.ndarray,
    my: np.ndarray,
) -> None:
    """Write water's magnetisation at every sample into mz, mx and my, shape `(tissues, samples)`."""
    start = (equilibrium(tissue)[:, :-1] * tissue.initial_scale[:, None]).numpy()
    on_lanes = fits(start.shape[0], len(program.keys) + program.durations.size, start.shape[1])
    (play_lanes if on_lanes else play_train)(
        program.kind,
        program.index,
        np.cos(program.turn),
        np.sin(program.turn),
        pulses,
        delays.across,
        delays.along,
        start,
        tissue.reset,
        star.layout.pools,
        mz,
        mx,
        my,
    )
