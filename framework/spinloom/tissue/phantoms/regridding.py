"""How the maps of a phantom go to another grid: value by value, or as means.

Where spins are averaged, rates are: R1 and R2 of a voxel are the means of its spins' rates weighted with their M0, the
initial slope of the sum of their signals.  Field and coil maps, which go on where there is no spin, are plain means,
and a voxel gets the pools with most of its M0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, interpolate

from spinloom.tissue.phantom import Phantom, PoolMap

Rule = Callable[[Tensor], Tensor]
"""From maps of one grid, with or without an axis before, to those of another."""

Place = tuple[float, float, float]


def each(phantom: Phantom, rule: Rule, centre: Place) -> Phantom:
    """Every map, the pools' index among them, by one rule."""
    return replace(
        phantom,
        m0=rule(phantom.m0),
        t1=rule(phantom.t1),
        t2=rule(phantom.t2),
        b0=rule(phantom.b0),
        b1=rule(phantom.b1),
        coils=None if phantom.coils is None else rule(phantom.coils),
        t2_prime=None if phantom.t2_prime is None else rule(phantom.t2_prime),
        pools=None if phantom.pools is None else replace(phantom.pools, index=rule(phantom.pools.index)),
        centre=centre,
    )


def averaged(phantom: Phantom, mean: Rule, centre: Place) -> Phantom:
    """Maps by a rule that averages; times where there is no M0 are means by themselves."""
    m0, inside = mean(phantom.m0), phantom.m0 > 0

    def times(values: Tensor) -> Tensor:
        rates = torch.where(inside, phantom.m0 / torch.where(inside, values, 1.0), 0.0)
        alone = mean(torch.where(torch.isfinite(values), values, 1.0))
        return torch.where(m0 > 0, m0 / torch.where(m0 > 0, mean(rates), 1.0), alone)

    coils, pools = phantom.coils, phantom.pools
    return replace(
        phantom,
        m0=m0,
        t1=times(phantom.t1),
        t2=times(phantom.t2),
        b0=mean(phantom.b0),
        b1=mean(phantom.b1),
        coils=None if coils is None else torch.complex(mean(coils.real.contiguous()), mean(coils.imag.contiguous())),
        t2_prime=None if phantom.t2_prime is None else times(phantom.t2_prime),
        pools=None if pools is None else replace(pools, index=_most(pools, phantom.m0, mean)),
        centre=centre,
    )


def _most(pools: PoolMap, m0: Tensor, mean: Rule) -> Tensor:
    """The tissue with most M0 in each voxel, -1 where none has any."""
    shares = [mean(m0 * (pools.index == tissue)) for tissue in range(int(pools.tissue.batch_shape[0]))]
    most, label = torch.stack(shares).max(dim=0)
    return torch.where(most > 0, label, -1)


def repeated(values: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """Each voxel's value for all its spins; factors along x, y, z."""
    for axis, factor in zip((-1, -2, -3), factors, strict=True):
        values = values.repeat_interleave(factor, dim=axis) if factor > 1 else values
    return values


def interpolated(values: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """Linear between centres of voxels; beyond the outermost ones their value, which keeps the mean."""
    size = [count * factor for count, factor in zip(values.shape[-3:], reversed(factors), strict=True)]
    batch = values.reshape(1, -1, *values.shape[-3:])
    return interpolate(batch, size=size, mode="trilinear", align_corners=False).reshape(*values.shape[:-3], *size)


def block_means(values: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """The mean of so many voxels along x, y, z, which divide the grid."""
    found = avg_pool3d(values.reshape(1, -1, *values.shape[-3:]), kernel_size=tuple(reversed(factors)))
    return found.reshape(*values.shape[:-3], *found.shape[-3:])
