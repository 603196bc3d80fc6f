"""The tissues of a phantom's voxels as a batch, those that are alike once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue
from spinloom.units import PPM


@dataclass(frozen=True, eq=False)
class VoxelTissues:
    """Tissues with the field and the B1 of their places.

    tissue: batch of shape `(tissues,)`
    inside: voxels that hold pools and magnetisation, shape `(z, y, x)`
    number: tissue of each voxel inside, shape `(voxels inside,)`
    """

    tissue: Tissue
    inside: Tensor
    number: Tensor


def voxel_tissues(phantom: Phantom) -> VoxelTissues:
    """What fills each voxel of a phantom of pools; voxels of one tissue, field and B1 share an entry of the batch.

    Where gradients are asked of the field or of B1 every voxel has an entry of its own.
    """
    assert phantom.pools is not None
    inside = (phantom.pools.index >= 0) & (phantom.m0 > 0)
    index, b0, b1 = phantom.pools.index[inside], phantom.b0[inside], phantom.b1[inside]
    number = torch.arange(index.numel(), device=index.device)
    if not (b0.requires_grad or b1.requires_grad):
        (index, b0, b1), number = _distinct(index, b0, b1)
    tissue = phantom.pools.tissue.map(lambda values: values[index])
    shift = b0.to(tissue.larmor) / tissue.larmor / PPM
    placed = replace(
        tissue,
        name=phantom.name,
        b0_shift_ppm=tissue.b0_shift_ppm + shift,
        rel_b1=tissue.rel_b1 * b1.to(tissue.rel_b1),
    )
    return VoxelTissues(placed, inside, number)


def _distinct(index: Tensor, b0: Tensor, b1: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Each distinct triple once, and which of them stands where."""
    rows = torch.stack([index.double(), b0.double(), b1.double()])
    found, number = torch.unique(rows, dim=1, return_inverse=True)
    return (found[0].long(), found[1], found[2]), number
