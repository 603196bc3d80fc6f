"""Pulses far off resonance: many cells, whose propagators are interpolated in the amplitude.

Far from every pool the generator's size is that of the offset, which is the same in every cell; what the amplitude w
adds is small, and the propagator of a cell is all but a polynomial in w of low degree.  It is solved by the matrix
exponential at a few Chebyshev nodes and interpolated for each cell, which is then worth one product.  A cell's mean
is enough where the offset turns many times within it, but the steps between cells excite by their ratio to the
offset: a file with steps of its own is taken at every one of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.bloch_mcconnell import Layout, generator, rf_generators
from spinloom.physics.exponentials import exponentials
from spinloom.physics.kernels import chain
from spinloom.sequence.timeline import RfWaveform
from spinloom.tissue.pools import Tissue

NODES = 6
"""Amplitudes at which cells are solved: at 100 kHz rad offset the sixth term is below 1e-12."""

MOST_STEPS = 1024
"""An envelope of so many equal steps at most is solved step by step, a finer one in `CELLS` cells."""

CELLS = 256


def solve_far(tissue: Tissue, waveform: RfWaveform, amplitude: float, frequency: float) -> Tensor:
    """Propagator of a real envelope as `propagation.solve_pulse` gives it, shape `(batch, size, size)`."""
    layout = Layout.of(tissue)
    means, powers, length = _equal_cells(waveform)
    offset = torch.full_like(tissue.b0, frequency)
    free, (x, _, saturation) = generator(tissue, offset), rf_generators(tissue, offset)
    nutation = 2 * torch.pi * amplitude * tissue.rel_b1
    nodes = _chebyshev(float(means.min()), float(means.max()))
    w = torch.tensor(nodes)[:, None] * nutation
    exponents = free + w[:, :, None, None] * x + w[:, :, None, None] ** 2 * torch.diag_embed(saturation)
    solved = exponentials(exponents * length).transpose(0, 1).contiguous().numpy()
    spread = torch.tensor((powers - means**2) * length)[:, None, None] * (nutation**2)[:, None]
    rows = slice(layout.size - 1 - layout.semisolid, layout.size - 1)
    bound = torch.exp(spread * saturation[:, rows]).numpy()
    out = np.empty((free.shape[0], layout.size, layout.size))
    chain(solved, _lagrange(nodes, means), bound, out)
    return torch.from_numpy(out)


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


def _chebyshev(low: float, high: float) -> np.ndarray:
    """Nodes of interpolation between two amplitudes."""
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)


def _lagrange(nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weights of the nodes for the interpolating polynomial, shape `(at, nodes)`."""
    differences = at[:, None, None] - nodes[None, None, :]
    scale = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(scale, 1.0)
    factors = differences / scale
    factors[:, np.arange(NODES), np.arange(NODES)] = 1.0
    return np.ascontiguousarray(factors.prod(axis=2))
