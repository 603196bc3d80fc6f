"""T2*: every tissue as spins that share a Lorentzian spread of the field, and the average of their signals.

A spread of half width 1/T2* - 1/T2 [rad/s] makes the free induction decay with T2*.  The spins' offsets are
half width x sinh(c v), with v in -1..1 at the middles of equal steps, and their weights 1/cosh(c v), the Lorentzian's
share of each: near its centre they lie close, in its wings wide apart, where no measurement tells them apart.  With
c = ln n + 0.4 the average of n spins follows the exponential within 1.7 / n until three times 1/half width; spins of
equal weight err five to ten times more.  They rephase after some pi n / c times 1/half width.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from spinloom.tissue.pools import Tissue
from spinloom.units import PPM


def lorentzian_spins(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets in half widths and weights of sum 1 of `count` spins that stand for a Lorentzian."""
    place = (math.log(count) + 0.4) * ((2 * np.arange(count) + 1) / count - 1)
    share = 1 / np.cosh(place)
    return np.sinh(place), share / share.sum()


def with_isochromats(tissue: Tissue) -> Tissue:
    """The spins of a flat batch as a flat batch, those of a tissue side by side; the batch itself without T2*."""
    spins = tissue.isochromats
    if spins is None:
        return tissue
    offsets = torch.from_numpy(lorentzian_spins(spins.count)[0]).to(tissue.b0)
    half_width = (1 / spins.t2star - 1 / tissue.water.t2) / (2 * torch.pi * tissue.larmor * PPM)
    spread = (tissue.b0_shift_ppm[:, None] + half_width[:, None] * offsets).reshape(-1)
    alone = replace(tissue, isochromats=None).map(lambda values: values.repeat_interleave(spins.count))
    return replace(alone, b0_shift_ppm=spread)


def averaged(signal: Tensor, tissue: Tissue) -> Tensor:
    """The signal of each tissue, `(batch, samples)`, from those of its spins, `(batch * spins, samples)`."""
    if tissue.isochromats is None:
        return signal
    weights = torch.from_numpy(lorentzian_spins(tissue.isochromats.count)[1]).to(signal)
    return torch.einsum("bis,i->bs", signal.reshape(-1, weights.numel(), signal.shape[-1]), weights)


def sentences(tissue: Tissue) -> tuple[str, ...]:
    """What T2* means for the signal, for the report."""
    if tissue.isochromats is None:
        return ()
    count = tissue.isochromats.count
    if count == 1:
        return ("A single isochromat does not dephase: T2* has no effect.",)
    return (
        f"T2* is the dephasing of {count} isochromats of a Lorentzian spread; they follow its exponential within "
        f"{1.7 / count:.1g} until three times 1/(1/T2* - 1/T2).",
    )
