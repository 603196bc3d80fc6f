"""A brain of pools: the MNI152 brain whose voxels are tissues of exchanging pools, for saturation transfer.

Each voxel is one tissue, that which fills most of it, and its T1 and T2 are those of that tissue's water; M0 is the
mixture's, as in `brain`.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from spinloom.errors import TissueError
from spinloom.tissue.files import read_tissue
from spinloom.tissue.phantom import Phantom, PoolMap
from spinloom.tissue.phantoms.brain import brain
from spinloom.tissue.phantoms.brain_fractions import View, slabs_of, tissue_fractions
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.relaxation import TISSUES


def brain_pools(lattice: Lattice, view: View, tissues: str) -> Phantom:
    """White matter, grey matter, CSF and, where the view has one, a lesion, each a tissue of pools.

    tissues: name or path of a tissue that lists those four, in this order

    Raises `TissueError` where it lists another number of them.
    """
    batch = read_tissue(tissues, dtype=lattice.dtype)
    if batch.batch_shape != (len(TISSUES),):
        raise TissueError(
            f"Tissue '{tissues}' is a batch of shape {tuple(batch.batch_shape)}, but a brain of pools needs "
            f"{len(TISSUES)} tissues: {', '.join(TISSUES)}. List values in this order, such as 't1: [1, 1.4, 4, 1.5]'."
        )
    plain = brain(lattice, view)
    most = torch.cat([tissue_fractions(lattice, view, planes)[0].argmax(dim=0) for planes in slabs_of(lattice)])
    inside = plain.m0 > 0
    return replace(
        plain,
        name=f"{plain.name}, of pools",
        t1=torch.where(inside, batch.water.t1[most], 1.0),
        t2=torch.where(inside, batch.water.t2[most], 1.0),
        pools=PoolMap(batch, torch.where(inside, most, -1), TISSUES),
    )
