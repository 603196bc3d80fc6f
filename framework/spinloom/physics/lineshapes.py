"""Absorption lineshapes of semisolid pools: L(d) [s], so that RF of nutation w saturates Mz at the rate w^2 L.

With d the detuning from the pool's resonance [rad/s] and T its T2, each of area pi over all d:

    Lorentzian         T / (1 + (d T)^2)
    Gaussian           sqrt(pi/2) T exp(-(d T)^2 / 2)
    super-Lorentzian   sqrt(2 pi) T integral over u in 0..1 of exp(-2 (d T / (3u^2 - 1))^2) / |3u^2 - 1|

The super-Lorentzian's integrand all but diverges at the magic angle, u^2 = 1/3.  With 1 - 3u^2 = 1/cosh^2 y on one
side of it and 3u^2 - 1 = 1/sinh^2 y on the other it becomes, with sinh^2 y0 = 1/2,

    sqrt(2 pi / 3) T (integral from 0 of exp(-2 (d T)^2 cosh^4 y) dy + integral from y0 of exp(-2 (d T)^2 sinh^4 y) dy):

two entire functions that end doubly exponentially, which `NODES` Gauss-Legendre points integrate to 2e-11 of their
value.  At d = 0 the line itself diverges, with the logarithm of d.  Exchange alone broadens it by more than
`NARROWEST_LINE`, so that nearer to the resonance than that the value at that distance stands.
Morrison and Henkelman, Magn Reson Med 1995;33:475.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

NODES = 48
"""Gauss-Legendre points of each of the super-Lorentzian's two integrals."""

NARROWEST_LINE = 2 * math.pi * 1.0
"""Detuning below which the super-Lorentzian is held [rad/s]."""

_NEGLIGIBLE = 20.0
"""The integrals end where their integrands have fallen by exp(-2 * 20) = 4e-18."""


def absorption(lineshape: str, t2: Tensor, detuning: Tensor, ppm: Tensor) -> Tensor:
    """L of a semisolid pool [s], of the shape that `t2` and `detuning` broadcast to.

    lineshape: one of `SOLVED_LINESHAPES`
    t2: [s]
    detuning: RF's frequency less the pool's resonance [rad/s]
    ppm: one millionth of the Larmor frequency [rad/s], by which `superlorentzian_usual` measures nearness
    """
    return _LINESHAPES[lineshape](t2, detuning, ppm)


def lorentzian(t2: Tensor, detuning: Tensor) -> Tensor:
    """The line of a liquid, with wide wings."""
    return t2 / (1 + (detuning * t2) ** 2)


def gaussian(t2: Tensor, detuning: Tensor) -> Tensor:
    """The line of a rigid solid."""
    return math.sqrt(math.pi / 2) * t2 * torch.exp(-((detuning * t2) ** 2) / 2)


def superlorentzian(t2: Tensor, detuning: Tensor) -> Tensor:
    """The line of partly ordered membranes: Gaussian lines of all orientations."""
    x = detuning.abs().clamp(min=NARROWEST_LINE) * t2
    end = torch.sqrt(_NEGLIGIBLE / x.detach() ** 2 + 0.25)  # cosh^2 or sinh^2 of y at which the integrals end
    outside = _integral(x, torch.sinh, math.asinh(math.sqrt(0.5)), torch.asinh(torch.sqrt(end)))
    inside = _integral(x, torch.cosh, 0.0, torch.acosh(torch.sqrt(end.clamp(min=1.0))))
    return math.sqrt(2 * math.pi / 3) * t2 * (inside + outside)


def superlorentzian_usual(t2: Tensor, detuning: Tensor, ppm: Tensor) -> Tensor:
    """The super-Lorentzian as other programs compute it, to compare with their results.

    A sum over 101 orientations, wrong by up to 3 %; within 1 ppm of the resonance a cubic Hermite spline through
    that sum at +-(100 + ppm) and +-(300 + ppm) rad/s, wrong by some 30 %.
    """
    inner, outer = _sum_of_orientations(t2, 100 + ppm), _sum_of_orientations(t2, 300 + ppm)
    start, end = -100 - ppm, 100 + ppm
    c = ((detuning - start + 1) / (end - start + 1)).abs()
    rise = 30 * (inner - outer)  # tangents of 30 times the difference of two samples, up on the left, down on the right
    spline = inner + (c**3 - 2 * c**2 + c) * rise - (c**3 - c**2) * rise
    return torch.where(detuning.abs() < ppm, spline, _sum_of_orientations(t2, detuning))


def _integral(x: Tensor, growth: Callable[[Tensor], Tensor], start: float, end: Tensor) -> Tensor:
    """Integral of exp(-2 x^2 growth(y)^4) from `start` to `end`; the interval itself carries no gradient."""
    nodes, weights = (torch.from_numpy(values).to(x) for values in np.polynomial.legendre.leggauss(NODES))
    half = (end - start)[..., None] / 2
    y = start + half * (nodes + 1)
    return (half * weights * torch.exp(-2 * x[..., None] ** 2 * growth(y) ** 4)).sum(dim=-1)


def _sum_of_orientations(t2: Tensor, detuning: Tensor) -> Tensor:
    width = (3 * torch.linspace(0, 1, 101, dtype=t2.dtype, device=t2.device) ** 2 - 1).abs() / t2[..., None]
    lines = torch.exp(-2 * (detuning[..., None] / width) ** 2) / width
    return math.sqrt(2 * math.pi) * 0.01 * lines.sum(dim=-1)


_LINESHAPES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "gaussian": lambda t2, detuning, ppm: gaussian(t2, detuning),
    "lorentzian": lambda t2, detuning, ppm: lorentzian(t2, detuning),
    "none": lambda t2, detuning, ppm: torch.zeros_like(t2 * detuning),
    "superlorentzian": lambda t2, detuning, ppm: superlorentzian(t2, detuning),
    "superlorentzian_usual": superlorentzian_usual,
}

SOLVED_LINESHAPES = frozenset(_LINESHAPES)
"""Lineshapes of semisolid pools that are solved here; `none` is a pool that RF does not saturate."""
