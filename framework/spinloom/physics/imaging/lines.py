"""Samples of lines from sums over rows: one real matrix product with cosines and one with sines.

    S(n) = sum over x of R(x) e^(2 pi i c(n, x)),    c(n, x) = a(n) + d(n, x)

Columns lie evenly about a middle and the samples of a line about another, so that d is odd in both; then sums and
differences of mirrored columns, R(x) + R(-x) and R(x) - R(-x), need cosines and sines of half of the samples alone.
Where that does not hold the product is taken whole.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

ODD = 1e-9
"""Turns by which phases may miss being odd."""


def line_samples(rows: Tensor, cycles: np.ndarray) -> Tensor:
    """Samples from rows.

    rows: real and imaginary part along columns, shape `(n, 2, columns)`
    cycles: turns of each sample at each column, shape `(samples, columns)`
    Returns complex `(n, samples)`.
    """
    mean = (cycles + cycles[:, ::-1]) / 2
    rest = cycles - mean[:, :1]
    odd = np.abs(mean - mean[:, :1]).max(initial=0.0) < ODD and np.abs(rest + rest[::-1]).max(initial=0.0) < ODD
    if not odd:
        return _whole(rows, cycles)
    turn = torch.from_numpy(np.exp(2j * np.pi * mean[:, 0])).to(rows.dtype.to_complex())
    return _mirrored(rows, rest) * turn


def _whole(rows: Tensor, cycles: np.ndarray) -> Tensor:
    """The product with every phase."""
    angles = 2 * np.pi * (cycles - np.rint(cycles)).T
    both = torch.from_numpy(np.concatenate([np.cos(angles), np.sin(angles)], axis=1)).to(rows)
    cosine, sine = (rows @ both).chunk(2, dim=-1)
    return torch.complex(cosine[:, 0] - sine[:, 1], cosine[:, 1] + sine[:, 0])


def _mirrored(rows: Tensor, cycles: np.ndarray) -> Tensor:
    """The product with phases that are odd in samples and in columns."""
    samples, columns = cycles.shape
    half, upper = columns // 2, (samples + 1) // 2
    first, last = rows[..., :half], rows[..., columns - half :].flip(-1)
    even, odd = first + last, first - last
    if columns % 2:
        even = torch.cat([even, rows[..., half : half + 1]], dim=-1)
    angles = 2 * np.pi * cycles[:upper].T
    cosines = even @ torch.from_numpy(np.cos(angles[: even.shape[-1]])).to(rows)
    sines = odd @ torch.from_numpy(np.sin(angles[:half])).to(rows)
    real = torch.stack([cosines[:, 0] - sines[:, 1], cosines[:, 0] + sines[:, 1]])
    imaginary = torch.stack([cosines[:, 1] + sines[:, 0], cosines[:, 1] - sines[:, 0]])
    begin, end = torch.complex(real, imaginary)
    return torch.cat([begin, end[:, : samples // 2].flip(-1)], dim=-1)
