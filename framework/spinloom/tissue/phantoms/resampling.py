"""Finer and coarser grids for a phantom: n spins a voxel, and voxels from spins.

M0 is the mean of what it stands for, so that the mean over the field of view stays.  Where spins are averaged, rates
are: R1 and R2 of a voxel are the means of its spins' rates weighted with their M0, the initial slope of the sum of
their signals.  Field and coil maps, which go on where there is no spin, are plain means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, interpolate

from spinloom.errors import TissueError, known_names
from spinloom.tissue.phantom import Phantom, PoolMap
from spinloom.tissue.phantoms.t2_prime import spread_t2_prime

Spins = int | tuple[int, int, int]
METHODS = ("linear", "nearest")


def resample(phantom: Phantom, spins: Spins, seed: int = 0, method: str = "nearest") -> Phantom:
    """The phantom with `spins` spins a voxel along each axis, centred within their voxel.

    spins: along x, y, z; a single number is along every axis of more than one voxel
    seed: of the order in which the spins of a voxel share its T2', where the phantom has one (`spread_t2_prime`)
    method: `nearest`, every spin has the numbers of its voxel, or `linear`, between the centres of voxels
    """
    factors = _factors(phantom, spins)
    return spread_t2_prime(refine(phantom, factors, method), factors, seed)


def refine(phantom: Phantom, factors: tuple[int, int, int], method: str = "nearest") -> Phantom:
    """`resample` with T2' left as a map."""
    if method not in METHODS:
        raise TissueError(f"Phantoms cannot be resampled by '{method}'. {known_names(method, METHODS)}")
    if factors == (1, 1, 1):
        return phantom
    shift = [_shift(count, factor) for count, factor in zip(reversed(phantom.shape), factors, strict=True)]
    centre = _moved(phantom, shift)
    if method == "nearest":
        return _each(phantom, lambda values: _repeat(values, factors), centre)
    return _averaged(phantom, lambda values: _linear(values, factors), lambda pools: _nearest(pools, factors), centre)


def downsample(phantom: Phantom, factor: Spins) -> Phantom:
    """The phantom with `factor` voxels along each axis as one; what `resample` by nearest refined comes back.

    factor: along x, y, z; a single number is along every axis of more than one voxel

    Pools become those that hold most of a voxel's M0.  Raises `TissueError` where the voxels do not divide.
    """
    factors = _factors(phantom, factor)
    for axis, count, many in zip("xyz", reversed(phantom.shape), factors, strict=True):
        if count % many:
            raise TissueError(
                f"Phantom '{phantom.name}' has {count} voxels along {axis}, which cannot be taken {many} at a time; "
                "choose a factor that divides them."
            )
    counts = [count // many for count, many in zip(reversed(phantom.shape), factors, strict=True)]
    shift = [-_shift(count, many) * many for count, many in zip(counts, factors, strict=True)]
    centre = _moved(phantom, shift)
    return _averaged(
        phantom, lambda values: _mean(values, factors), lambda pools: _majority(pools, phantom.m0, factors), centre
    )


def _factors(phantom: Phantom, spins: Spins) -> tuple[int, int, int]:
    """Along x, y, z."""
    if isinstance(spins, int):
        x, y, z = (spins if count > 1 else 1 for count in reversed(phantom.shape))
        spins = (x, y, z)
    if len(spins) != 3 or min(spins) < 1:
        raise TissueError(f"{spins} spins a voxel are not to be had; give a whole number from 1, or three (x, y, z).")
    return spins


def _shift(count: int, factor: int) -> float:
    """Where the middle of voxel `count // 2`'s spins lies before they are centred, in voxels, to be taken off.

    Spin `count factor // 2` stands at the origin; the spins of voxel `count // 2` begin at `(count // 2) factor`.
    """
    return (count * factor // 2 - (count // 2) * factor - (factor - 1) / 2) / factor


def _moved(phantom: Phantom, shift: list[float]) -> tuple[float, float, float]:
    """The centre shifted by so many voxels of the phantom's along x, y, z."""
    x, y, z = (old + part * size for old, part, size in zip(phantom.centre, shift, phantom.voxel, strict=True))
    return x, y, z


Rule = Callable[[Tensor], Tensor]


def _each(phantom: Phantom, rule: Rule, centre: tuple[float, float, float]) -> Phantom:
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


def _averaged(
    phantom: Phantom, mean: Rule, labels: Callable[[PoolMap], Tensor], centre: tuple[float, float, float]
) -> Phantom:
    """Maps by a rule that averages: rates weighted with M0, times where there is none by themselves."""
    m0, inside = mean(phantom.m0), phantom.m0 > 0

    def times(values: Tensor) -> Tensor:
        rates = torch.where(inside, phantom.m0 / torch.where(inside, values, 1.0), 0.0)
        alone = mean(torch.where(torch.isfinite(values), values, 1.0))
        return torch.where(m0 > 0, m0 / torch.where(m0 > 0, mean(rates), 1.0), alone)

    coils = phantom.coils
    return replace(
        phantom,
        m0=m0,
        t1=times(phantom.t1),
        t2=times(phantom.t2),
        b0=mean(phantom.b0),
        b1=mean(phantom.b1),
        coils=None if coils is None else torch.complex(mean(coils.real.contiguous()), mean(coils.imag.contiguous())),
        t2_prime=None if phantom.t2_prime is None else times(phantom.t2_prime),
        pools=None if phantom.pools is None else replace(phantom.pools, index=labels(phantom.pools)),
        centre=centre,
    )


def _repeat(values: Tensor, factors: tuple[int, int, int]) -> Tensor:
    for axis, factor in zip((-1, -2, -3), factors, strict=True):
        values = values.repeat_interleave(factor, dim=axis) if factor > 1 else values
    return values


def _linear(values: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """Between centres of voxels; beyond the outermost ones their value, which keeps the mean."""
    size = [count * factor for count, factor in zip(values.shape[-3:], reversed(factors), strict=True)]
    batch = values.reshape(1, -1, *values.shape[-3:])
    return interpolate(batch, size=size, mode="trilinear", align_corners=False).reshape(*values.shape[:-3], *size)


def _mean(values: Tensor, factors: tuple[int, int, int]) -> Tensor:
    batch = values.reshape(1, -1, *values.shape[-3:])
    found = avg_pool3d(batch, kernel_size=tuple(reversed(factors)))
    return found.reshape(*values.shape[:-3], *found.shape[-3:])


def _nearest(pools: PoolMap, factors: tuple[int, int, int]) -> Tensor:
    return _repeat(pools.index, factors)


def _majority(pools: PoolMap, m0: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """The tissue with most M0 in each voxel, -1 where none has any."""
    share = torch.stack(
        [_mean(m0 * (pools.index == tissue), factors) for tissue in range(int(pools.tissue.batch_shape[0]))]
    )
    most, label = share.max(dim=0)
    return torch.where(most > 0, label, -1)
