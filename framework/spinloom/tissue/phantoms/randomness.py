"""Seeded random numbers: one independent stream a purpose, and smooth random texture."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

_LARGEST = 2.5
"""Texture is cut at so many standard deviations."""


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers that depend on `seed` and `purpose` alone, not on what else is drawn."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def texture(shape: tuple[int, int, int], seed: int, purpose: str) -> Tensor:
    """Random texture between -1 and 1, float32: amplitudes fall with spatial frequency f as f^(-d/2) in d dimensions.

    Every octave holds as much of it, so that it has no scale of its own, as tissue has none.
    """
    noise = torch.from_numpy(stream(seed, purpose).standard_normal(shape, dtype=np.float32))
    z, y, x = _frequencies(shape)
    frequency = (z.square() + y.square() + x.square()).sqrt()
    frequency[0, 0, 0] = torch.inf
    dimensions = sum(count > 1 for count in shape)
    smooth = torch.fft.irfftn(torch.fft.rfftn(noise) * frequency ** (-dimensions / 2), s=shape)
    return (smooth / (_LARGEST * smooth.std().clamp(min=torch.finfo(smooth.dtype).tiny))).clamp(-1, 1)


def _frequencies(shape: tuple[int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Cycles a field of view along each axis of the half spectrum, broadcast against each other."""
    z, y = (torch.fft.fftfreq(count, 1 / count) for count in shape[:2])
    x = torch.fft.rfftfreq(shape[2], 1 / shape[2])
    return z[:, None, None], y[None, :, None], x[None, None, :]
