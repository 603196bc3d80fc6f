"""T2': dephasing within a voxel as a spread of the field over its sub-spins.

Off-resonance spread like a Lorentzian of half width 1 / (2 pi T2') [Hz] makes the free induction decay by exp(-t / T2')
on top of T2, and echoes undo it.  Each of the n sub-spins of a voxel takes one of n equally likely parts of it,

    f = tan(pi (p - 1/2)) / (2 pi T2'),   p = (j + u) / n,

with u random within the part (stratified sampling) and the parts in random order, so that place and frequency are
unrelated.  They weigh the same, as spins do.  A single voxel follows the exponential with a random error of some 2 / n,
the mean over voxels within 0.3 / n: the ends of the Lorentzian are cut at 1 / (8 n), which is 8 n / pi half widths.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.randomness import stream

_END = 1 / 8
"""Share of the first and of the last part that is cut off."""


def spread_t2_prime(phantom: Phantom, spins: tuple[int, int, int], seed: int = 0) -> Phantom:
    """The phantom with its T2' turned into off-resonance of sub-spins, and `t2_prime` None.

    spins: how many voxels of the grid, along x, y, z, are the sub-spins of one voxel; a single one cannot dephase,
        and the phantom comes back as it is
    """
    count = math.prod(spins)
    if phantom.t2_prime is None or count == 1:
        return phantom
    planes, rows, columns = (many // few for many, few in zip(phantom.shape, reversed(spins), strict=True))
    offsets = lorentzian(planes * rows * columns, count, seed).reshape(planes, rows, columns, *reversed(spins))
    spread = offsets.permute(0, 3, 1, 4, 2, 5).reshape(phantom.shape).to(phantom.m0)
    return replace(phantom, b0=phantom.b0 + spread / (2 * math.pi * phantom.t2_prime), t2_prime=None)


def lorentzian(voxels: int, count: int, seed: int) -> Tensor:
    """Random offsets in half widths of a Lorentzian, one in each of `count` parts, `(voxels, count)`, float32."""
    random = stream(seed, "t2_prime")
    part = torch.from_numpy(random.random((voxels, count), dtype="f4")).argsort(dim=1)
    place = (part + torch.from_numpy(random.random((voxels, count), dtype="f4"))).clamp(_END, count - _END) / count
    return torch.tan(math.pi * (place - 0.5))
