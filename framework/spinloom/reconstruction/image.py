"""An image: complex maps on a regular grid, one a frame and coil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Image:
    """What a reconstruction returns.

    data: complex, a fully sampled object has the size of its M0; shape `(frames, coils, z, y, x)`
    fov: extent along x, y, z [m]; voxel n // 2 of an axis of n lies at the origin of the gradients
    frames: labels that tell the frames apart, by Pulseq's names such as SLC and REP, shape `(frames,)`
    notes: sentences on what the samples do not determine, for the report
    """

    data: Tensor
    fov: tuple[float, float, float]
    frames: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()

    @property
    def magnitude(self) -> Tensor:
        """Root of the sum of squares over coils, shape `(frames, z, y, x)`; the magnitude where there is one coil."""
        if self.data.shape[1] == 1:
            return self.data[:, 0].abs()
        return self.data.abs().square().sum(dim=1).sqrt()

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Size of a voxel along x, y, z [m]."""
        x, y, z = (extent / count for extent, count in zip(self.fov, reversed(self.data.shape[2:]), strict=True))
        return x, y, z

    def positions(self, axis: int) -> np.ndarray:
        """Centres of the voxels along the axis 0 (x), 1 (y) or 2 (z) [m]."""
        count = self.data.shape[4 - axis]
        return (np.arange(count) - count // 2) * self.voxel[axis]
