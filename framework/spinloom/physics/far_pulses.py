"""Pulses far off resonance: many cells, whose propagators are interpolated in the amplitude.

Far from every pool the generator's size is that of the offset, which is the same in every cell; what the amplitude w
adds is small, and the propagator of a cell is all but a polynomial in w of low degree.  It is solved by the matrix
exponential at a few amplitudes and interpolated for each cell, which is then worth one product.  RF of the opposite
sign is RF turned by half a circle, so that elements within transverse and within longitudinal magnetisation are even
in w, and the others odd.  A cell's mean is enough where the offset turns many times within it, but the steps between
cells excite by their ratio to the offset: a file with steps of its own is taken at every one of them.
"""

from __future__ import annotations

import numpy as np

from spinloom.physics.far_lanes import chain_cells
from spinloom.physics.star import Star
from spinloom.sequence.timeline import RfWaveform

NODES = 3
"""Squared amplitudes at which cells are solved: at 100 kHz rad offset the third term is below 1e-12."""

MOST_STEPS = 1024
"""An envelope of so many equal steps at most is solved step by step, a finer one in `CELLS` cells."""

CELLS = 256


def solve_far(
    star: Star,
    absorption: np.ndarray,
    nutation: np.ndarray,
    carrier: np.ndarray,
    waveform: RfWaveform,
    mirrored: bool,
    count: int = NODES,
) -> np.ndarray:
    """Propagators of a real envelope by columns, the source's last, shape `(keys, tissues, size + 1, size)`.

    absorption, nutation, carrier: as for `pulse_lanes.integrate_pulses`
    mirrored: whether `waveform` is the first half of a symmetric one
    count: of the nodes; nearer to resonance it takes more (`stepwise`)
    """
    means, powers, length = _equal_cells(waveform)
    nodes = _nodes(float(np.abs(means).max()), count)
    shares = _lagrange(nodes**2, means**2)
    weights = np.stack([shares, shares * means[:, None] / nodes], axis=1)
    size = star.layout.size - 1
    out = np.empty((carrier.size, star.weights.shape[0], size + 1, size))
    chain_cells(*star.balanced, absorption, nutation, carrier, length, nodes, weights, powers - means**2, mirrored, out)
    return out


def _equal_cells(waveform: RfWaveform) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean of the envelope and of its square over cells of one length, and that length [s]."""
    durations, values = waveform.durations, waveform.values.real
    shortest = float(durations.min())
    counts = durations / shortest
    steps = round(float(counts.sum()))
    if steps <= MOST_STEPS and np.abs(counts - np.round(counts)).max() < 1e-6:
        repeated = np.repeat(values, np.round(counts).astype(int))
        return repeated, repeated**2, waveform.duration / steps
    ends = np.concatenate([[0.0], np.cumsum(durations)])
    borders = np.linspace(0.0, ends[-1], CELLS + 1)
    integrals = [np.concatenate([[0.0], np.cumsum(part * durations)]) for part in (values, values**2)]
    means, powers = (np.diff(np.interp(borders, ends, integral)) / (ends[-1] / CELLS) for integral in integrals)
    return means, powers, float(ends[-1]) / CELLS


def _nodes(largest: float, count: int) -> np.ndarray:
    """Amplitudes whose squares are Chebyshev's between zero and the square of the largest, which is not zero."""
    return np.asarray((largest or 1.0) * np.sqrt(0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / count)))


def _lagrange(nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weights of the nodes for the interpolating polynomial, shape `(at, nodes)`."""
    differences = at[:, None, None] - nodes[None, None, :]
    scale = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(scale, 1.0)
    factors = differences / scale
    factors[:, np.arange(nodes.size), np.arange(nodes.size)] = 1.0
    return np.asarray(factors.prod(axis=2))
