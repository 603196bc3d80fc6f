"""A brain from the MNI152 template: M0, T1 and T2 from the fractions of tissue in each voxel.

    M0 = sum f_i rho_i,   1 / T = sum f_i rho_i / T_i / M0

with f_i the share of tissue i in the voxel and rho_i its proton density: a voxel of several tissues has one T1 and one
T2, the initial slope of the sum of their signals.  Within white and grey matter the T1-weighted template varies T1
and T2 inside their published spread, shorter where it is brighter.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.brain_fractions import View, slabs_of, tissue_fractions
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.relaxation import Relaxation, Spread, relaxation
from spinloom.tissue.phantoms.subject import Subject, subject

_TEXTURED = torch.tensor([1.0, 1.0, 0.0, 0.0])
"""Which tissues the contrast of the T1-weighted template varies."""


def brain(lattice: Lattice, view: View, field_t: float = 3.0, texture: float = 1.0) -> Phantom:
    """White matter, grey matter, CSF and, where the view has one, a lesion.

    field_t: whose relaxation times [T]
    texture: how much of the published spread the contrast within tissues takes, 0 to 1
    """
    person = subject(view.subject)
    slabs = [
        _relaxing(*tissue_fractions(lattice, view, planes), relaxation(field_t), person, texture)
        for planes in slabs_of(lattice)
    ]
    m0, t1, t2 = (torch.cat(parts) for parts in zip(*slabs, strict=True))
    return lattice.phantom("brain" if view.subject is None else f"brain of subject {view.subject}", m0, t1, t2)


def _relaxing(
    fractions: Tensor, contrast: Tensor, tissues: tuple[Relaxation, ...], person: Subject, texture: float
) -> tuple[Tensor, Tensor, Tensor]:
    """M0, T1 and T2."""
    weights = fractions * torch.tensor(person.density)[:, None, None, None]
    m0 = weights.sum(dim=0)
    t1 = _mixed(weights, m0, contrast, [tissue.t1 for tissue in tissues], person.t1, texture)
    t2 = _mixed(weights, m0, contrast, [tissue.t2 for tissue in tissues], person.t2, texture)
    return m0, t1, t2


def _mixed(
    weights: Tensor, m0: Tensor, contrast: Tensor, spreads: list[Spread], place: tuple[float, ...], texture: float
) -> Tensor:
    """The time whose rate is the weighted mean of the tissues' rates; 1 s where there is nothing."""
    rate = torch.zeros_like(m0)
    for weight, spread, where, textured in zip(weights, spreads, place, _TEXTURED.tolist(), strict=True):
        position = where - texture * textured * contrast
        rate += weight / _within(spread, position.clamp(-1, 1))
    return torch.where(m0 > 0, m0 / rate, 1.0)


def _within(spread: Spread, position: Tensor) -> Tensor:
    """From low at -1 through the value at 0 to high at 1."""
    down, up = spread.value - spread.low, spread.high - spread.value
    return spread.value + torch.where(position < 0, down * position, up * position)
