"""Pulses of many segments: a Taylor series near resonance, a chain of cells far from it.

Pulses of one envelope are solved side by side.  Those further off resonance are cut into more cells
(`sampling.enough_cells`), in few steps, so that many are sampled alike.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spinloom.physics.envelope import Envelope
from spinloom.physics.far_pulses import solve_far
from spinloom.physics.propagation import PulseKey, solve_pulse
from spinloom.physics.sampling import FAR, SampledPulse, enough_cells
from spinloom.physics.series import SERIES_RADIUS, Series, absorptions, spectral_radii
from spinloom.physics.star import Star
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
    nutation = 2 * np.pi * tissue.rel_b1.numpy()
    for count, part in _alike(envelope, keys, cells, half):
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


def _alike(envelope: Envelope, keys: list[PulseKey], cells: int | None, half: bool) -> list[tuple[int | None, slice]]:
    """Cells, and neighbouring keys that are sampled so and, but for few, solved in the same way."""
    if cells is None:
        return [(None, slice(0, len(keys)))]
    turns = [envelope.waveform.duration * abs(key.frequency) for key in keys]
    counts = [_doubled(envelope, half, cells, enough_cells(cells, each)) for each in turns]
    sizes = {count: envelope.sampled(count, half).length.size for count in set(counts)}
    kinds = [sizes[count] if each < FAR else 0 for count, each in zip(counts, turns, strict=True)]
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(keys)]
    return [(counts[begin], slice(begin, end)) for begin, end in pairwise(edges)]


def _doubled(envelope: Envelope, half: bool, cells: int, wanted: int | None) -> int:
    """The first of `cells`, twice as many and so on that cuts the envelope into `wanted` cells or its segments."""
    whole = 2 if half else 1
    least = min(wanted or 0, envelope.waveform.durations.size)
    while cells < least and whole * envelope.sampled(cells, half).length.size < least:
        cells *= 2
    return cells


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
    frequency, amplitude = (np.array([getattr(key, name) for key in keys]) for name in ("frequency", "amplitude"))
    return solve_far(
        star,
        absorptions(tissue, frequency),
        2 * np.pi * amplitude[:, None] * tissue.rel_b1.numpy(),
        2 * np.pi * frequency,
        envelope.half if half else envelope.waveform,
        half,
    )
