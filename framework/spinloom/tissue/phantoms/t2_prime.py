"""T2': dephasing within a voxel as a spread of the field over its sub-spins.

Off-resonance spread like a Lorentzian of half width 1 / (2 pi T2') [Hz] makes the free induction decay by exp(-t / T2')
on top of T2, and echoes undo it.  The n sub-spins of a voxel take the quantiles (j + 1/2) / n,

    f_j = tan(pi ((j + 1/2) / n - 1/2)) / (2 pi T2'),

in random order, so that place and frequency are unrelated.  They weigh the same, as spins do; n of them follow the
exponential within about 1 / n as long as t is below T2'.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.randomness import stream


def spread_t2_prime(phantom: Phantom, spins: tuple[int, int, int], seed: int = 0) -> Phantom:
    """The phantom with its T2' turned into off-resonance of sub-spins, and `t2_prime` None.

    spins: how many voxels of the grid, along x, y, z, are the sub-spins of one voxel; a single one cannot dephase,
        and the phantom comes back as it is
    seed: of the order of the quantiles
    """
    count = math.prod(spins)
    if phantom.t2_prime is None or count == 1:
        return phantom
    places = torch.arange(count, dtype=phantom.m0.dtype)
    offsets = torch.tan(math.pi * ((places + 0.5) / count - 0.5)) / (2 * math.pi)
    offsets = (offsets - offsets.flip(0)) / 2  # to the last digit as many above as below
    planes, rows, columns = (many // few for many, few in zip(phantom.shape, reversed(spins), strict=True))
    keys = torch.from_numpy(stream(seed, "t2_prime").random((planes * rows * columns, count), dtype="f4"))
    order = keys.argsort(dim=1).reshape(planes, rows, columns, *reversed(spins))
    order = order.permute(0, 3, 1, 4, 2, 5).reshape(phantom.shape)
    spread = offsets.to(phantom.m0.device)[order.to(phantom.m0.device)] / phantom.t2_prime
    return replace(phantom, b0=phantom.b0 + spread, t2_prime=None)
