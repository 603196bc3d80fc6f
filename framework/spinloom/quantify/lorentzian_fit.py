"""Multi-pool Lorentzian fit: a Z-spectrum as a baseline minus one Lorentzian line a pool.

    Z(x) = baseline - sum_i A_i (G_i / 2)^2 / ((G_i / 2)^2 + (x - x_w - x_i)^2)
    x_w the shift of water, and x_i = 0 for water itself

Amplitudes A are shares of M0, widths G full widths at half depth [ppm], shifts [ppm]; those of other pools count from
water, so that B0 moves all lines together.  Lines of pools add up only where saturation is weak: the fit describes
a spectrum, it does not measure concentrations.

Zaiss et al., J Magn Reson 2011;211:149; Windschuh et al., NMR Biomed 2015;28:529.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import known_names
from spinloom.quantify.least_squares import Fit, FitError, least_squares
from spinloom.quantify.lorentzian_pools import AT_M0, POOLS, LorentzianPool, Range


def fit_lorentzians(
    offset_ppm: np.ndarray,
    z: Tensor,
    pools: Sequence[str | LorentzianPool] = ("water", "amide", "noe", "mt"),
    baseline: Range = AT_M0,
) -> Fit:
    """Baseline, amplitudes, widths and shifts of every voxel, by the names of `parameter_names`.

    offset_ppm: without the M0 scans, shape `(measurements,)`
    z: Mz / M0, shape `(*batch, measurements)`; a voxel with NaN is left out
    pools: names in `lorentzian_pools.POOLS`, or pools with ranges of your own; one must be called `water`
    baseline: where Z lies far from every line, 1 after division by M0; or the range to find it in

    Raises `FitError` for an unknown pool, without water, or where offsets are too few for the parameters.
    """
    lines = chosen_pools(pools)
    names = parameter_names(lines)
    offsets = torch.as_tensor(offset_ppm, dtype=torch.float64, device=z.device)
    ranges = [baseline, *(spread for line in lines for spread in (line.amplitude, line.width_ppm, line.shift_ppm))]
    lower, start, upper = offsets.new_tensor([(span.low, span.start, span.high) for span in ranges]).T
    first = start.expand(*z.shape[:-1], -1).clone()
    first[..., names.index("water_shift_ppm")] = _deepest(offsets, z.detach().double(), lower, upper, names)
    water = [line.name for line in lines].index("water")
    return least_squares(
        lambda p, _: lorentzian_curve(p, offsets, water),
        z,
        first,
        lower,
        upper,
        names,
        jacobian=lambda p, _: lorentzian_jacobian(p, offsets, water),
    )


def chosen_pools(pools: Sequence[str | LorentzianPool]) -> tuple[LorentzianPool, ...]:
    """The pools that are named or given; `FitError` for an unknown name, one given twice, or none called water."""
    unknown = [pool for pool in pools if isinstance(pool, str) and pool not in POOLS]
    if unknown:
        raise FitError(f"There is no Lorentzian pool '{unknown[0]}'. {known_names(unknown[0], POOLS)}")
    chosen = tuple(POOLS[pool] if isinstance(pool, str) else pool for pool in pools)
    names = [pool.name for pool in chosen]
    if names.count("water") != 1 or len(set(names)) < len(names):
        raise FitError(f"The pools {', '.join(names) or '(none)'} must hold 'water' and no pool twice; list each once.")
    return chosen


def parameter_names(pools: Sequence[LorentzianPool]) -> tuple[str, ...]:
    """`baseline`, then `POOL_amplitude`, `POOL_width_ppm` and `POOL_shift_ppm` of each pool."""
    kinds = ("amplitude", "width_ppm", "shift_ppm")
    return ("baseline", *(f"{pool.name}_{kind}" for pool in pools for kind in kinds))


def lorentzian_lines(parameters: Tensor, offset_ppm: Tensor, water: int) -> Tensor:
    """What each pool takes away, shape `(*batch, pools, measurements)`.

    parameters: in the order of `parameter_names`, shape `(*batch, parameters)`
    water: place of water among the pools
    """
    amplitude, half, distance = _parts(parameters, offset_ppm, water)
    return amplitude * half**2 / (half**2 + distance**2)


def lorentzian_curve(parameters: Tensor, offset_ppm: Tensor, water: int) -> Tensor:
    """Z at every offset, shape `(*batch, measurements)`; arguments as for `lorentzian_lines`."""
    return parameters[..., :1] - lorentzian_lines(parameters, offset_ppm, water).sum(dim=-2)


def lorentzian_jacobian(parameters: Tensor, offset_ppm: Tensor, water: int) -> Tensor:
    """Derivative of `lorentzian_curve`, shape `(*batch, measurements, parameters)`."""
    amplitude, half, distance = _parts(parameters, offset_ppm, water)
    inverse = 1 / (half**2 + distance**2)
    shape = half**2 * inverse
    by_width = amplitude * half * distance**2 * inverse**2
    by_shift = 2 * amplitude * shape * distance * inverse
    by_shift[..., water, :] = by_shift.sum(dim=-2)
    columns = -torch.stack([shape, by_width, by_shift], dim=-2)
    flat = columns.flatten(-3, -2).mT
    return torch.cat([torch.ones_like(flat[..., :1]), flat], dim=-1)


def _parts(parameters: Tensor, offset_ppm: Tensor, water: int) -> tuple[Tensor, Tensor, Tensor]:
    """Amplitude, half of the width, and distance from the line's centre, which broadcast to `(pools, measurements)`."""
    amplitude, width, shift = parameters[..., 1:, None].unflatten(-2, (-1, 3)).unbind(dim=-2)
    others = torch.arange(shift.shape[-2], device=shift.device)[:, None] != water
    centre = shift[..., water : water + 1, :] + shift * others
    return amplitude, width / 2, offset_ppm - centre


def _deepest(offsets: Tensor, z: Tensor, lower: Tensor, upper: Tensor, names: Sequence[str]) -> Tensor:
    """Offset of the lowest value of each voxel within the range of water's shift, where the search begins [ppm]."""
    place = names.index("water_shift_ppm")
    near = (offsets >= lower[place]) & (offsets <= upper[place])
    if not near.any():
        return z.new_zeros(z.shape[:-1])
    return offsets[near][z[..., near].nan_to_num().argmin(dim=-1)]
