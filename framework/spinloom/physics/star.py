"""Star exchange as rows of numbers, as the compiled loops take it, and whether a tissue is a star at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.autograd import forward_ad

from spinloom.physics.bloch_mcconnell import Layout, generator
from spinloom.tissue.pools import Tissue


@dataclass(frozen=True, eq=False)
class Star:
    """Rates of a flat batch of tissues in star exchange, one row a pool, tissues last.

    arrays: shift, R2 and R1 with what exchange takes away, exchange to water and from it, and source of the pools,
        water first; rate, exchange to water and from it, and source of the semisolid pools
    weights: equilibrium of each component relative to water's, 1 where it is zero, shape `(tissues, size)`
    fastest: largest rate of relaxation and exchange [1/s]
    """

    layout: Layout
    arrays: tuple[np.ndarray, ...]
    weights: np.ndarray
    fastest: float

    @cached_property
    def balanced(self) -> tuple[np.ndarray, ...]:
        """The same in units of the square root of the weights, where exchange is the same to and from water.

        shift, R2, R1, exchange and source of the pools; rate, exchange and source of the semisolid pools; and that
        square root for each component, shape `(size, tissues)`
        """
        shift, r2, r1, give, take, source, b_rate, b_give, b_take, b_source = self.arrays
        scale = np.ascontiguousarray(np.sqrt(self.weights).T)
        free, bound = scale[: self.layout.pools], scale[3 * self.layout.pools :]
        return (
            *(shift, r2, r1, np.sqrt(give * take), source / free),
            *(b_rate, np.sqrt(b_give * b_take), b_source / bound, scale),
        )


def star_of(tissue: Tissue) -> Star | None:
    """The rates of `tissue`, or None where the fast engine does not solve it: another exchange than the star, a
    device other than the CPU, or parameters of which gradients are asked."""
    if tissue.b0.device.type != "cpu":
        return None
    layout, matrix = Layout.of(tissue), generator(tissue, torch.zeros_like(tissue.b0))
    if matrix.requires_grad or forward_ad.unpack_dual(matrix).tangent is not None:
        return None
    values = matrix.numpy()
    pools, x, y, z = layout.pools, layout.x.start, layout.y.start, layout.z.start
    size = layout.size - 1

    def row(rows: slice | int, columns: slice | int) -> np.ndarray:
        block = values[:, rows, columns]
        picked = block if block.ndim == 2 else np.diagonal(block, axis1=1, axis2=2)
        return np.array(picked.T, order="C")

    free, bound = slice(z, z + pools), slice(z + pools, size)
    give, take = row(z, slice(z, size)), row(slice(z, size), z)
    give[0], take[0] = 0.0, 0.0
    source = row(slice(z, size), size)
    arrays = (
        row(slice(y, y + pools), slice(x, x + pools)),
        -row(slice(x, x + pools), slice(x, x + pools)),
        -row(free, free),
        give[:pools],
        take[:pools],
        source[:pools],
        -row(bound, bound),
        give[pools:],
        take[pools:],
        source[pools:],
    )
    if not _is_star(values, arrays, layout):
        return None
    weight = np.where(give * take > 0, take / np.where(give > 0, give, 1.0), 1.0)
    weights = np.concatenate([weight[:pools], weight[:pools], weight]).T
    return Star(layout, arrays, weights, float(max(arrays[1].max(), arrays[2].max())))


def _is_star(values: np.ndarray, arrays: tuple[np.ndarray, ...], layout: Layout) -> bool:
    """Whether a generator holds nothing but what the kernel's rows say."""
    shift, r2, r1, give, take, source, b_rate, b_give, b_take, b_source = arrays
    pools, size = layout.pools, layout.size - 1
    rebuilt = np.zeros_like(values)
    for i in range(pools):
        for first in (0, pools, 2 * pools):
            rebuilt[:, first + i, first + i] = -(r1 if first == 2 * pools else r2)[i]
            if i:
                rebuilt[:, first, first + i], rebuilt[:, first + i, first] = give[i], take[i]
        rebuilt[:, i, pools + i], rebuilt[:, pools + i, i] = -shift[i], shift[i]
        rebuilt[:, 2 * pools + i, size] = source[i]
    for s in range(layout.semisolid):
        row = 3 * pools + s
        rebuilt[:, row, row], rebuilt[:, row, size] = -b_rate[s], b_source[s]
        rebuilt[:, 2 * pools, row], rebuilt[:, row, 2 * pools] = b_give[s], b_take[s]
    return bool(np.array_equal(rebuilt, values))
