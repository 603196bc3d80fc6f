"""Tissues as batches of exchanging proton pools.

Water is the reference: its fraction is the unit of all others, and every other pool exchanges with it (star
exchange); a tissue may name further pairs of pools that exchange with each other.  All parameters are torch tensors
of one common batch shape, `()` for a single tissue; SI units except for chemical shifts, which stay in ppm because the
field that scales them is a parameter itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from spinloom.errors import TissueError, known_names

LINESHAPES = ("gaussian", "lorentzian", "none", "superlorentzian", "superlorentzian_usual")
"""Absorption lineshapes of a semisolid pool that pool models name; `none` is a pool that RF does not saturate, and
`superlorentzian_usual` the super-Lorentzian with the errors of other programs.

A simulator states which of them it solves (`Requirements.lineshapes`).
"""


@dataclass(frozen=True, eq=False)
class Water:
    """The water pool: fraction `f` (1 by convention), `t1` and `t2` [s], each of the batch shape."""

    f: Tensor
    t1: Tensor
    t2: Tensor


@dataclass(frozen=True, eq=False)
class ExchangingPool:
    """A pool with all three components of magnetisation: a solute (CEST, NOE), or a semisolid pool taken as a whole.

    f: proton fraction relative to water
    t1, t2: [s]
    k: exchange rate from the pool to water [1/s]
    shift_ppm: chemical shift from water [ppm]
    """

    name: str
    f: Tensor
    t1: Tensor
    t2: Tensor
    k: Tensor
    shift_ppm: Tensor


@dataclass(frozen=True, eq=False)
class SemisolidPool:
    """A macromolecular pool of which only Mz is followed, saturated at the rate of its absorption lineshape.

    Fields as for `ExchangingPool`; `lineshape` is one of `LINESHAPES`.
    """

    name: str
    f: Tensor
    t1: Tensor
    t2: Tensor
    k: Tensor
    shift_ppm: Tensor
    lineshape: str


Pool = Water | ExchangingPool | SemisolidPool


@dataclass(frozen=True, eq=False)
class Exchange:
    """Exchange between two pools beside water: of rate `k` [1/s] from `first` to `second`, names of pools.

    The rate back is k f_first / f_second (detailed balance), so that `second` needs a fraction above zero.
    Semisolid pools exchange Mz alone, others all components.
    """

    first: str
    second: str
    k: Tensor


@dataclass(frozen=True, eq=False)
class Isochromats:
    """Water whose field varies within the voxel: `count` spins that share a Lorentzian spread of the field.

    t2star: decay time of the free induction [s], at most T2; 1/t2star - 1/T2 is half the spread's width at half height
    """

    t2star: Tensor
    count: int


@dataclass(frozen=True, eq=False)
class Tissue:
    """A batch of tissues: voxels without a place.

    b0: static field [T]
    gamma: gyromagnetic ratio [rad/s/T]
    b0_shift_ppm: field inhomogeneity [ppm]; a positive one moves every resonance to higher frequency
    rel_b1: transmit field relative to nominal
    initial_scale: magnetisation at the start and after each reset, relative to equilibrium
    reset: whether magnetisation starts anew after each readout (fully relaxed before each measurement)
    max_pulse_samples: the sampling that the tissue's file asks for; only `timing=pulseq_cest` obeys it
    exchange: between pools beside water, no pair twice
    isochromats: how the field varies within a voxel, None where it does not
    """

    name: str
    water: Water
    exchanging: tuple[ExchangingPool, ...]
    semisolid: tuple[SemisolidPool, ...]
    b0: Tensor
    gamma: Tensor
    b0_shift_ppm: Tensor
    rel_b1: Tensor
    initial_scale: Tensor
    reset: bool
    max_pulse_samples: int
    exchange: tuple[Exchange, ...] = ()
    isochromats: Isochromats | None = None

    @property
    def batch_shape(self) -> torch.Size:
        """Common shape of all parameters."""
        return self.water.t1.shape

    @property
    def larmor(self) -> Tensor:
        """Larmor frequency of water at the nominal field [Hz], of the batch shape."""
        return self.gamma * self.b0 / (2 * torch.pi)

    @property
    def pools(self) -> dict[str, ExchangingPool | SemisolidPool]:
        """Every pool beside water by name, the exchanging ones first."""
        pools: tuple[ExchangingPool | SemisolidPool, ...] = (*self.exchanging, *self.semisolid)
        return {pool.name: pool for pool in pools}

    def position(self, pool: str) -> int:
        """Place of a pool among all: water is 0, then the exchanging pools, then the semisolid ones."""
        names = list(self.pools)
        if pool not in names:
            raise TissueError(
                f"Tissue '{self.name}' exchanges with '{pool}', which is no pool. {known_names(pool, names)}"
            )
        return 1 + names.index(pool)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are asked of any parameter."""
        asked: list[bool] = []

        def note(values: Tensor) -> Tensor:
            asked.append(values.requires_grad)
            return values

        _map(self, note)
        return any(asked)

    def map(self, function: Callable[[Tensor], Tensor]) -> Tissue:
        """The tissue with `function` applied to every parameter tensor."""
        return _map(self, function)

    def to(self, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Tissue:
        """The tissue in another floating-point type or on another device."""
        return self.map(lambda tensor: tensor.to(dtype=dtype, device=device))

    def flatten(self) -> Tissue:
        """The tissue with its batch shape flattened to one axis."""
        return self.map(lambda tensor: tensor.reshape(-1))

    def __getitem__(self, index: slice) -> Tissue:
        """A part of a flattened batch."""
        return self.map(lambda tensor: tensor[index])


def _map(node: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(node, Tensor):
        return function(node)
    if isinstance(node, tuple):
        return tuple(_map(item, function) for item in node)
    if hasattr(node, "__dataclass_fields__"):
        mapped = {field.name: _map(getattr(node, field.name), function) for field in fields(node)}
        return replace(node, **mapped)
    return node
