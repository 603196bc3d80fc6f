"""A Chebyshev table by the few of its terms that matter, in torch and differentiable.

    f(v) = sum over terms of c_k T_k1(u1) T_k2(u2) T_k3(u3) T_k4(u4)

Most of the products of a table of several numbers are next to nothing: what all that are left out add up to stays below
an error that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.physics.imaging.chebyshev import Table

AT_ONCE = 8_192
"""Spins evaluated at once, so that their products stay near the cache."""


@dataclass(frozen=True, eq=False)
class FewTerms:
    """Terms of a table.

    low, high: corners of the box, shape `(numbers,)`
    degrees: of each term's polynomials, shape `(terms, numbers)`
    coefficients: shape `(terms, outputs)`
    """

    low: Tensor
    high: Tensor
    degrees: Tensor
    coefficients: Tensor

    @classmethod
    def of(cls, table: Table, tolerance: float) -> FewTerms:
        """The terms of `table` without the least, which add up to `tolerance`."""
        size = table.coefficients.abs().amax(-1).reshape(-1)
        order = size.argsort()
        kept = order[size[order].cumsum(0) > tolerance].sort().values
        degrees = torch.stack(torch.unravel_index(kept, table.coefficients.shape[:-1]), dim=1)
        return cls(table.low, table.high, degrees, table.coefficients.flatten(0, -2)[kept])

    def __call__(self, numbers: Tensor) -> Tensor:
        """Outputs at `numbers` `(numbers, spins)`, shape `(spins, outputs)`."""
        return torch.cat([self._at(part) for part in numbers.split(AT_ONCE, dim=1)])

    def _at(self, numbers: Tensor) -> Tensor:
        width = torch.where(self.high > self.low, self.high - self.low, torch.ones_like(self.low))
        scaled = (2 * numbers - (self.low + self.high)[:, None]) / width[:, None]
        products: Tensor | None = None
        for number, degrees in enumerate(self.degrees.T):
            chosen = polynomials(scaled[number], int(degrees.max()) + 1 if degrees.numel() else 1)[:, degrees]
            products = chosen if products is None else products * chosen
        assert products is not None
        return products @ self.coefficients


def polynomials(u: Tensor, count: int) -> Tensor:
    """T_0 .. T_{count - 1} at `u` `(points,)`, shape `(points, count)`."""
    found = [torch.ones_like(u), u][:count]
    for _ in range(2, count):
        found.append(2 * u * found[-1] - found[-2])
    return torch.stack(found, dim=1)
