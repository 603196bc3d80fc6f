"""Pulses of few equal steps solved step by step: how, and when that costs less than a series over fewer cells.

In a step of length h RF turns magnetisation by a small angle w h.  The step's propagator is then all but a polynomial
in w, as it is far off resonance (`far_pulses`).  Interpolated between N squared amplitudes it errs by

    2 (w h)^2N / (4^N (2N)!),

and each step is one product.  Where pools are few, a product costs as little as a term or two of a series.
"""

from __future__ import annotations

import math

import numpy as np

from spinloom.physics.bloch_mcconnell import Layout
from spinloom.physics.envelope import Envelope, sampled_alike
from spinloom.physics.fast_program import FastProgram
from spinloom.physics.propagation import PulseKey
from spinloom.physics.series import spectral_radii
from spinloom.physics.star import Star, star_of
from spinloom.tissue.pools import Tissue

MOST_NODES = 8
"""Amplitudes at most; a step that needs more turns too far."""

EXPONENTIAL = 12
"""Products that a matrix exponential takes."""

TERM = 16
"""Multiplications of a term of the series for a column and pool, those that its loops cost included."""


def nodes_needed(envelope: Envelope, keys: list[PulseKey], tissue: Tissue, tolerance: float) -> int | None:
    """Amplitudes that solve every step of the keys to `tolerance` a pulse, None where steps are not solved so."""
    steps = envelope.steps
    if steps is None:
        return None
    largest = max(abs(key.amplitude) for key in keys) * envelope.waveform.peak * float(tissue.rel_b1.max())
    angle = 2 * math.pi * largest * envelope.waveform.duration / steps
    errors = (steps * 2 * angle ** (2 * n) / (4**n * math.factorial(2 * n)) for n in range(2, MOST_NODES + 1))
    return next((count for count, error in enumerate(errors, start=2) if error <= tolerance), None)


def steps_pay(program: FastProgram, tissue: Tissue, cells: int, tolerance: float) -> bool:
    """Whether solving all steps of all pulses costs less than a series over `cells` cells or more.

    tissue: some of the batch, a flat batch in star exchange
    """
    star = star_of(tissue)
    assert star is not None
    stepwise = series = 0.0
    for envelope, part in program.by_envelope:
        if envelope.few:
            continue
        keys, nodes = program.keys[part], nodes_needed(envelope, program.keys[part], tissue, tolerance)
        if nodes is None:
            return False
        half = envelope.mirrored(tolerance)
        stepwise += len(keys) * _cost_of_steps(envelope, half, nodes, star.layout)
        series += _cost_of_series(envelope, keys, tissue, star, cells, half)
    return stepwise < series


def _cost_of_steps(envelope: Envelope, half: bool, nodes: int, layout: Layout) -> float:
    """Multiplications of a key."""
    assert envelope.steps is not None
    size = layout.size - 1
    products = envelope.steps / (2 if half else 1) + EXPONENTIAL * nodes
    return products * size**2 * (size + 1 + nodes)


def _cost_of_series(
    envelope: Envelope, keys: list[PulseKey], tissue: Tissue, star: Star, cells: int, half: bool
) -> float:
    """Multiplications of all keys together."""
    nutation, terms = 2 * np.pi * tissue.rel_b1.numpy(), 0.0
    for count, part in sampled_alike(envelope, keys, cells, half):
        sampled = envelope.sampled(count, half)
        radii = spectral_radii(keys[part], star, sampled, nutation, star.fastest / 2)
        terms += float((8 * sampled.length.size + 1.3 * radii * sampled.length.sum()).sum())
    return terms * (star.layout.size + 1) * star.layout.pools * TERM
