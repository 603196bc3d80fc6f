"""Gradients of blocks with another amplitude: factors of each axis, turned with blocks that rotate (Pulseq 1.5).

    A = R diag(scale) R^T

acts on every vector that the gradients of a block make: moments, and, being symmetric, the places of spins as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.sequence.events import rotation_in
from spinloom.sequence.timeline import Timeline


@dataclass(frozen=True, eq=False)
class ScaledGradients:
    """A of every block.

    scale: factors of x, y, z, shape `(blocks, 3)`, or one for all, shape `()`; None leaves gradients as they are
    rotation: R of every block, shape `(blocks, 3, 3)`, None where no block turns
    turned: whether a block turns so that axes mix, shape `(blocks,)`
    """

    scale: Tensor | None
    rotation: Tensor | None
    turned: np.ndarray

    @classmethod
    def of(cls, timeline: Timeline, scale: Tensor | float | None) -> ScaledGradients:
        """A of the blocks of `timeline`; scale: as `SequenceChanges.gradient_scale`, checked."""
        found = [rotation_in(items) for items in timeline.extensions]
        turned = np.append([rotation is not None for rotation in found], False).astype(bool)[timeline.block_extension]
        if not isinstance(scale, Tensor) or not scale.ndim:
            return cls(None if scale is None else torch.as_tensor(scale), None, np.zeros_like(turned))
        if not turned.any():
            return cls(scale.T, None, turned)
        still = np.eye(3)
        matrices = np.stack([*(still if rotation is None else rotation.matrix for rotation in found), still])
        return cls(scale.T, torch.from_numpy(matrices[timeline.block_extension]).to(scale), turned)

    def __call__(self, vectors: Tensor, block: np.ndarray | int) -> Tensor:
        """A of `block` times each of `vectors` `(n, ..., 3)`; one block for all, or one for each, shape `(n,)`."""
        if self.scale is None or not self.scale.ndim:
            return vectors if self.scale is None else vectors * self.scale
        middle = (1,) * (vectors.ndim - 2)
        scale = self.scale[block].reshape(-1, *middle, 3)
        if self.rotation is None:
            return vectors * scale
        rotation = self.rotation[block].reshape(-1, *middle, 3, 3)
        within = (vectors[..., None, :] @ rotation)[..., 0, :] * scale
        return (rotation @ within[..., None])[..., 0]
