"""The Bloch-McConnell equations of water and the pools that exchange with it, as one matrix.

With D_i = (shift_i + b0_shift) w0 - w_rf, nutation w = w_x + i w_y, and pool i of fraction f_i:

    dMx_i/dt = -R2_i Mx_i - D_i My_i - w_y Mz_i
    dMy_i/dt =  D_i Mx_i - R2_i My_i + w_x Mz_i
    dMz_i/dt =  w_y Mx_i - w_x My_i - R1_i (Mz_i - f_i)

Each component exchanges with water's: -k_i M_i + k_i f_i M_w in pool i, the opposite in water (star exchange).
Where a tissue names pairs of pools that exchange with each other, -k M_a + k (f_a / f_b) M_b comes to pool a and the
opposite to pool b (detailed balance).  A semisolid pool has Mz alone, saturated at the rate |w|^2 L(D), and
exchanges Mz alone, with water and with any partner:

    dMz/dt = -R1 (Mz - f) - k Mz + k f Mz_w - |w|^2 L(D) Mz,   L in `lineshapes`

A three-component semisolid pool is an exchanging pool like any other.

Magnetisation is a vector (Mx of every pool, My, Mz, Mz of the semisolid pools, 1); the appended 1 carries the
recovery, so that a constant stretch of time is one matrix exponential and needs no inverse.  Precession of a
positive D is counter-clockwise, and so is the phase of RF at a positive frequency offset.

Equations and signs: Zaiss and Bachert, Phys Med Biol 2013;58:R221; Woessner et al., Magn Reson Med 2005;53:790.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.lineshapes import absorption
from spinloom.tissue.pools import ExchangingPool, Pool, SemisolidPool, Tissue, Water
from spinloom.units import PPM


@dataclass(frozen=True)
class Layout:
    """Where each component stands in the magnetisation vector.

    pools: water and the exchanging pools
    semisolid: pools that have Mz alone
    """

    pools: int
    semisolid: int

    @property
    def size(self) -> int:
        """Length of the vector, the appended 1 included."""
        return 3 * self.pools + self.semisolid + 1

    @property
    def x(self) -> slice:
        """Mx of water and the exchanging pools."""
        return slice(0, self.pools)

    @property
    def y(self) -> slice:
        """My of water and the exchanging pools."""
        return slice(self.pools, 2 * self.pools)

    @property
    def z(self) -> slice:
        """Mz of every pool, the semisolid ones last."""
        return slice(2 * self.pools, self.size - 1)

    @classmethod
    def of(cls, tissue: Tissue) -> Layout:
        """Layout of a tissue's magnetisation."""
        return cls(1 + len(tissue.exchanging), len(tissue.semisolid))


def equilibrium(tissue: Tissue) -> Tensor:
    """Magnetisation at thermal equilibrium, shape `(*batch, size)`."""
    layout = Layout.of(tissue)
    state = tissue.water.t1.new_zeros((*tissue.batch_shape, layout.size))
    state[..., layout.z] = _fractions(tissue)
    state[..., -1] = 1.0
    return state


def generator(tissue: Tissue, frequency: Tensor) -> Tensor:
    """The matrix without RF, in the frame that rotates at `frequency` [Hz] from water's nominal resonance.

    frequency: broadcasts with the batch shape
    Returns shape `(*batch, size, size)`, unit 1/s.
    """
    layout = Layout.of(tissue)
    pools, z0 = layout.pools, 2 * layout.pools
    exchanging: tuple[Water | ExchangingPool, ...] = (tissue.water, *tissue.exchanging)
    every: tuple[Pool, ...] = (*exchanging, *tissue.semisolid)
    solutes: tuple[ExchangingPool | SemisolidPool, ...] = (*tissue.exchanging, *tissue.semisolid)
    shape = np.broadcast_shapes(tissue.batch_shape, frequency.shape)  # torch's own imports sympy, a second's work
    matrix = tissue.water.t1.new_zeros((*shape, layout.size, layout.size))
    detuning = _detuning(tissue, frequency)
    for i, pool in enumerate(exchanging):
        for component in (i, pools + i):
            matrix[..., component, component] = -1 / pool.t2
        matrix[..., i, pools + i] = -detuning[i]
        matrix[..., pools + i, i] = detuning[i]
    for i, member in enumerate(every):
        matrix[..., z0 + i, z0 + i] = -1 / member.t1
        matrix[..., z0 + i, -1] = member.f / member.t1
    for i, solute in enumerate(solutes, start=1):
        for first in (0, pools, z0) if i < pools else (z0,):
            _exchange(matrix, first, first + i, solute.k, solute.k * solute.f)
    for pair in tissue.exchange:
        one, other = tissue.position(pair.first), tissue.position(pair.second)
        back = pair.k * every[one].f / every[other].f
        for first in (0, pools, z0) if max(one, other) < pools else (z0,):
            _exchange(matrix, first + other, first + one, pair.k, back)
    return matrix


def rf_generators(tissue: Tissue, frequency: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What RF adds to the matrix: `w_x X + w_y Y + |w|^2 S`, with nutation w [rad/s] and S negative.

    X and Y have shape `(size, size)`; S is diagonal, given as shape `(*batch, size)`, unit s.
    """
    layout = Layout.of(tissue)
    pools, z0 = layout.pools, 2 * layout.pools
    x = tissue.water.t1.new_zeros((layout.size, layout.size))
    y = torch.zeros_like(x)
    for i in range(pools):
        x[pools + i, z0 + i], x[z0 + i, pools + i] = 1.0, -1.0
        y[i, z0 + i], y[z0 + i, i] = -1.0, 1.0
    shape = np.broadcast_shapes(tissue.batch_shape, frequency.shape)
    saturation = tissue.water.t1.new_zeros((*shape, layout.size))
    for i, pool in enumerate(tissue.semisolid):
        ppm = 2 * torch.pi * PPM * tissue.larmor
        detuning = 2 * torch.pi * frequency - (pool.shift_ppm + tissue.b0_shift_ppm) * ppm
        saturation[..., z0 + pools + i] = -absorption(pool.lineshape, pool.t2, detuning, ppm)
    return x, y, saturation


def _fractions(tissue: Tissue) -> Tensor:
    pools: tuple[Pool, ...] = (tissue.water, *tissue.exchanging, *tissue.semisolid)
    return torch.stack([pool.f for pool in pools], dim=-1)


def _detuning(tissue: Tissue, frequency: Tensor) -> list[Tensor]:
    shifts = [torch.zeros_like(tissue.b0), *(pool.shift_ppm for pool in tissue.exchanging)]
    larmor = tissue.larmor
    return [2 * torch.pi * ((shift + tissue.b0_shift_ppm) * PPM * larmor - frequency) for shift in shifts]


def _exchange(matrix: Tensor, partner: int, pool: int, out: Tensor, back: Tensor) -> None:
    matrix[..., pool, pool] -= out
    matrix[..., pool, partner] += back
    matrix[..., partner, pool] += out
    matrix[..., partner, partner] -= back
