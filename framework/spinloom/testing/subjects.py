"""Small subjects that fit what a simulator declares to need, and the numbers in them that a contract turns.

Three tissues, or a disc of two tissues on 8 x 8 spins, in a field that is neither even nor nominal.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from spinloom.interfaces import Requirements, Subject
from spinloom.tissue.phantom import Phantom, PoolMap
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue, Water
from spinloom.units import PROTON_GAMMA

NUMBERS = ("t1", "t2", "b0", "b1")
"""Numbers of a subject that a contract turns: relaxation times, deviation of the field, transmit field."""

_TISSUE_PLACE = {"t1": ("water", "t1"), "t2": ("water", "t2"), "b0": ("", "b0_shift_ppm"), "b1": ("", "rel_b1")}


def fitting_subject(requirements: Requirements) -> Subject:
    """A tissue where `requirements` take one, else a phantom, with the pools, lineshapes and maps that they name."""
    if "tissue" in requirements.subject:
        return fitting_tissue(requirements)
    phantom = disc()
    if "coils" in requirements.maps:
        phantom = replace(phantom, coils=torch.ones(2, *phantom.shape, dtype=torch.complex128))
    return replace(phantom, pools=_pool_map(requirements, phantom)) if "pools" in requirements.maps else phantom


def fitting_tissue(requirements: Requirements, share: float = 1.0) -> Tissue:
    """Three tissues at 3 T with the pools that `requirements` name, their fractions times `share`."""
    tissue = water(t1=(1.2, 0.9, 2.0), t2=(0.08, 0.06, 0.2), b0_ppm=(0.1, -0.2, 0.05), b1=(1.0, 0.9, 1.1))
    ones = torch.ones_like(tissue.b0)
    if "exchanging" in requirements.pools:
        amide = ExchangingPool("amide", 1e-3 * share * ones, ones, 0.1 * ones, 40 * ones, 3.5 * ones)
        tissue = replace(tissue, exchanging=(amide,))
    if "semisolid" in requirements.pools:
        known = sorted(requirements.lineshapes)
        shape = "lorentzian" if "lorentzian" in known or not known else known[0]
        mt = SemisolidPool("mt", 0.1 * share * ones, ones, 4e-5 * ones, 23 * ones, 0 * ones, shape)
        tissue = replace(tissue, semisolid=(mt,))
    return tissue


def water(
    t1: tuple[float, ...], t2: tuple[float, ...], b0_ppm: tuple[float, ...], b1: tuple[float, ...], field: float = 3.0
) -> Tissue:
    """Water alone, one tissue for each value; times in [s], field [T]."""
    ones = torch.ones(len(t1), dtype=torch.float64)
    return Tissue(
        name="water for tests",
        water=Water(ones.clone(), _column(t1), _column(t2)),
        exchanging=(),
        semisolid=(),
        b0=field * ones,
        gamma=PROTON_GAMMA * ones,
        b0_shift_ppm=_column(b0_ppm),
        rel_b1=_column(b1),
        initial_scale=ones.clone(),
        reset=False,
        max_pulse_samples=100,
    )


def solute(tissue: Tissue) -> ExchangingPool:
    """A pool that no simulator of pools overlooks: 3 % of water's protons at 3.5 ppm."""
    ones = torch.ones_like(tissue.b0)
    return ExchangingPool("solute", 0.03 * ones, ones, 0.1 * ones, 200 * ones, 3.5 * ones)


def disc() -> Phantom:
    """A disc of two tissues on 8 x 8 spins over 64 mm, field and B1 sloping."""
    y, x = torch.meshgrid(*2 * [torch.arange(8, dtype=torch.float64) - 4], indexing="ij")
    inside = (x**2 + y**2 <= 14).to(torch.float64)[None]
    slope = (x / 4)[None]
    return Phantom(
        name="disc for tests",
        fov=(0.064, 0.064, 0.005),
        m0=inside * (1 + 0.1 * slope),
        t1=torch.where(x < 0, 1.2, 0.8)[None].to(torch.float64),
        t2=torch.where(x < 0, 0.08, 0.06)[None].to(torch.float64),
        b0=20 * slope,
        b1=1 + 0.1 * slope,
    )


def one_voxel() -> Phantom:
    """A single spin of T1 1.2 s and T2 80 ms, 25 Hz above the frame."""
    m0, t1, t2, b0, b1 = (torch.full((1, 1, 1), v, dtype=torch.float64) for v in (1.0, 1.2, 0.08, 25.0, 1.0))
    return Phantom("one voxel", (1e-3, 1e-3, 1e-3), m0, t1, t2, b0, b1)


def number(subject: Subject, name: str) -> Tensor:
    """The values of one of `NUMBERS` in `subject`."""
    if isinstance(subject, Phantom):
        return _tensor(getattr(subject, name))
    section, field = _TISSUE_PLACE[name]
    return _tensor(getattr(getattr(subject, section) if section else subject, field))


def with_number(subject: Subject, name: str, values: Tensor) -> Subject:
    """`subject` with other values of one of `NUMBERS`."""
    if isinstance(subject, Phantom):
        return replace(subject, **{name: values})  # type: ignore[arg-type]
    section, field = _TISSUE_PLACE[name]
    if section:
        return replace(subject, water=replace(subject.water, **{field: values}))
    return replace(subject, **{field: values})  # type: ignore[arg-type]


def scaled_subject(subject: Subject, factor: float) -> Subject:
    """`subject` with `factor` times the magnetisation to begin with."""
    if isinstance(subject, Phantom):
        return replace(subject, m0=subject.m0 * factor)
    return replace(subject, initial_scale=subject.initial_scale * factor)


def _pool_map(requirements: Requirements, phantom: Phantom) -> PoolMap:
    index = torch.where(phantom.m0 > 0, (phantom.t1 < 1).to(torch.int64), -1)
    return PoolMap(fitting_tissue(requirements)[:2], index)


def _column(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _tensor(values: Tensor) -> Tensor:
    return values
