"""Pulses of many segments: a Taylor series near resonance, a chain of cells far from it or of all steps of the file.

Pulses of one envelope are solved side by side.  Those further off resonance are cut into more cells
(`envelope.sampled_alike`), in few sizes, so that many are sampled alike.
"""

from __future__ import annotations

import numpy as np

from spinloom.physics.envelope import Envelope, sampled_alike
from spinloom.physics.far_pulses import NODES, solve_far
from spinloom.physics.propagation import PulseKey, solve_pulse
from spinloom.physics.sampling import FAR, SampledPulse
from spinloom.physics.series import SERIES_RADIUS, Series, absorptions, in_parts, spectral_radii
from spinloom.physics.star import Star
from spinloom.physics.stepwise import nodes_needed
from spinloom.tissue.pools import Tissue

MOST_PARTS = 4
"""A pulse whose cells would be cut into more parts than this is solved by matrix exponentials instead."""


def solve_shaped(
    envelope: Envelope,
    keys: list[PulseKey],
    tissue: Tissue,
    star: Star,
    cells: int | None,
    tolerance: float,
    threads: int,
    out: np.ndarray,
) -> None:
    """Write propagators of one envelope's keys by columns, the source's last, into `out`.

    keys: in the order of their offsets' size
    out: shape `(keys, tissues, size + 1, size)`
    """
    half = envelope.mirrored(tolerance)
    if cells is None or cells >= envelope.waveform.durations.size:
        nodes = nodes_needed(envelope, keys, tissue, tolerance)
        if nodes is not None:
            _solve_steps(envelope, keys, tissue, star, half, nodes, threads, out)
            return
    nutation = 2 * np.pi * tissue.rel_b1.numpy()
    for count, part in sampled_alike(envelope, keys, cells, half):
        sampled, members = envelope.sampled(count, half), keys[part]
        near = _near(envelope, sampled, members, star, nutation, count)
        if near.all():
            Series(tissue, star, sampled, members, tolerance, nutation).solve(half, threads, out[part])
            continue
        solved = out[part][near]
        if near.any():
            few = [key for key, solves in zip(members, near, strict=True) if solves]
            Series(tissue, star, sampled, few, tolerance, nutation).solve(half, threads, solved)
        out[part][near] = solved
        far = [key for key, solves in zip(members, near, strict=True) if not solves]
        out[part][~near] = _solve_far(envelope, far, tissue, star, count, half)


def _solve_steps(
    envelope: Envelope,
    keys: list[PulseKey],
    tissue: Tissue,
    star: Star,
    half: bool,
    nodes: int,
    threads: int,
    out: np.ndarray,
) -> None:
    """Step by step, as `stepwise` has it."""

    def run(part: slice) -> None:
        out[part] = _chained(envelope, keys[part], tissue, star, half, nodes)

    in_parts(run, len(keys), threads)


def _near(
    envelope: Envelope,
    sampled: SampledPulse,
    keys: list[PulseKey],
    star: Star,
    nutation: np.ndarray,
    cells: int | None,
) -> np.ndarray:
    """Whether a series solves each key: few parts a cell, and not so far off resonance that cells must alias."""
    radii = spectral_radii(keys, star, sampled, nutation, star.fastest / 2)
    few = radii * float(sampled.length.max()) <= MOST_PARTS * SERIES_RADIUS
    joined = cells is not None and cells < envelope.waveform.durations.size
    turns = np.array([key.frequency for key in keys]) * envelope.waveform.duration
    return few & ~(joined & envelope.real & (np.abs(turns) >= FAR))


def _solve_far(
    envelope: Envelope, keys: list[PulseKey], tissue: Tissue, star: Star, cells: int | None, half: bool
) -> np.ndarray:
    if not envelope.real:
        whole = envelope.sampled(cells, False)
        solved = [solve_pulse(tissue, whole, key.amplitude, key.frequency) for key in keys]
        return np.stack([each[:, :-1].transpose(1, 2).numpy() for each in solved])
    return _chained(envelope, keys, tissue, star, half, NODES)


def _chained(
    envelope: Envelope, keys: list[PulseKey], tissue: Tissue, star: Star, half: bool, nodes: int
) -> np.ndarray:
    frequency, amplitude = (np.array([getattr(key, name) for key in keys]) for name in ("frequency", "amplitude"))
    return solve_far(
        star,
        absorptions(tissue, frequency),
        2 * np.pi * amplitude[:, None] * tissue.rel_b1.numpy(),
        2 * np.pi * frequency,
        envelope.half if half else envelope.waveform,
        half,
        nodes,
    )
