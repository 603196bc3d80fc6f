"""What an image will need of memory, and what there is, compared before any work.

The isochromats are played in blocks whose memory does not grow; what grows are the maps as the engine takes them, and
the samples with their places in k-space until they are images.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from spinloom.errors import ConfigurationError
from spinloom.free_memory import free_memory

SPIN_BYTES, COIL_SPIN_BYTES = 100, 20
"""A spin at its peak: its maps in the engine's precision and what they are made from; and of each coil."""

SAMPLE_BYTES, COIL_SAMPLE_BYTES = 100, 45
"""A sample at its peak in float32: its time, event and place in k-space; and its value on the way to the image."""


@dataclass(frozen=True)
class ImageSize:
    """How much an image is made of: isochromats, coils that receive, and samples that each of them takes."""

    spins: int
    coils: int
    samples: int

    def bytes(self, dtype: torch.dtype) -> tuple[int, int]:
        """Memory that spins and samples take at their peak [bytes]."""
        times = dtype.itemsize // torch.float32.itemsize
        spins = self.spins * (SPIN_BYTES + COIL_SPIN_BYTES * self.coils)
        return spins, self.samples * (SAMPLE_BYTES + times * COIL_SAMPLE_BYTES * self.coils)


def refuse_beyond_memory(size: ImageSize, dtype: torch.dtype) -> None:
    """Raise `ConfigurationError` where an image of this size cannot fit, which says how much of it would."""
    spins, samples = size.bytes(dtype)
    free = free_memory()
    if free is None or spins + samples <= free:
        return
    coils = f" from {size.coils} coils" if size.coils > 1 else ""
    if spins > samples:
        fits = max(0, free - samples) * size.spins // spins
        way_out = f"about {fits:,} spins fit. Take fewer spins a voxel, a smaller matrix, or slabs one after the other."
    else:
        fits = max(0, free - spins) * size.samples // samples
        way_out = f"about {fits:,} samples fit. Take fewer coils, or parts of the sequence one after the other."
    raise ConfigurationError(
        f"{size.spins:,} spins with {size.samples:,} samples{coils} need about {(spins + samples) / 1e9:,.3g} GB of "
        f"memory, but {free / 1e9:,.3g} GB are free; {way_out}"
    )
