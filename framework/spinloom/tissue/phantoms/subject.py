"""Another subject: the template's brain turned, scaled, bent and with other relaxation times, all from one number.

    q = M (p - c) + c + s,  place in the template = q + d(q)

M turns by up to 8 degrees about each axis, scales by up to 6 % and mirrors every other subject left to right; s shifts
by up to 4 mm; d is a sum of plane waves longer than 70 mm of together at most 6 mm along each axis.  The derivative of
d is thus below sqrt(3) 2 pi 6 / 70 = 0.93, and the bending never folds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.tissue.phantoms.mni152 import MIDDLE_MM
from spinloom.tissue.phantoms.randomness import stream
from spinloom.tissue.phantoms.relaxation import DENSITY, DENSITY_SPREAD, TISSUES

_ANGLE, _SCALE, _SHIFT_MM = math.radians(8), 0.06, 4.0
_WAVES, _SHORTEST_MM, _BEND_MM = 6, 70.0, 6.0


@dataclass(frozen=True, eq=False)
class Waves:
    """Displacement as a sum of plane waves: wave vectors [rad/mm] `(n, 3)`, amplitudes [mm] `(n, 3)`, phases `(n,)`."""

    vectors: Tensor
    amplitudes: Tensor
    phases: Tensor

    def at(self, places_mm: Tensor) -> Tensor:
        """Displacement [mm] at places of shape `(..., 3)`."""
        return torch.sin(places_mm @ self.vectors.T + self.phases) @ self.amplitudes


@dataclass(frozen=True, eq=False)
class Subject:
    """How a subject differs from the template.

    matrix, shift_mm: M and s, shapes `(3, 3)` and `(3,)`
    waves: d, None for the template itself
    t1, t2: where each tissue's times lie in their spread, -1 (low), 0 (value) to 1 (high)
    density: proton density of each tissue
    """

    matrix: Tensor
    shift_mm: Tensor
    waves: Waves | None
    t1: tuple[float, ...]
    t2: tuple[float, ...]
    density: tuple[float, ...]

    def template_places(self, places_mm: Tensor) -> Tensor:
        """Where in the template the subject's places, shape `(..., 3)`, are found."""
        middle = torch.tensor(MIDDLE_MM)
        moved = (places_mm - middle) @ self.matrix.T + (middle + self.shift_mm)
        return moved if self.waves is None else moved + self.waves.at(moved)


def subject(number: int | None) -> Subject:
    """The subject of a number, or the template itself for None."""
    if number is None:
        zero = (0.0,) * len(TISSUES)
        return Subject(torch.eye(3), torch.zeros(3), None, zero, zero, DENSITY)
    random = stream(number, "subject")
    matrix = _matrix(random)
    shift = torch.from_numpy(random.uniform(-_SHIFT_MM, _SHIFT_MM, 3)).float()
    waves = _waves(random)
    t1, t2 = (tuple(random.uniform(-1, 1, len(TISSUES)).tolist()) for _ in range(2))
    varied = np.array(DENSITY) * (1 + DENSITY_SPREAD * random.uniform(-1, 1, len(TISSUES)))
    varied[2] = DENSITY[2]
    return Subject(matrix, shift, waves, t1, t2, tuple(varied.tolist()))


def _matrix(random: np.random.Generator) -> Tensor:
    matrix = np.diag(1 + random.uniform(-_SCALE, _SCALE, 3))
    for first, second in ((0, 1), (1, 2), (2, 0)):
        angle = random.uniform(-_ANGLE, _ANGLE)
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[second, first], turn[first, second] = math.sin(angle), -math.sin(angle)
        matrix = turn @ matrix
    matrix[:, 0] *= random.choice((-1.0, 1.0))
    return torch.from_numpy(matrix).float()


def _waves(random: np.random.Generator) -> Waves:
    vectors = random.standard_normal((_WAVES, 3))
    lengths = random.uniform(_SHORTEST_MM, 2.5 * _SHORTEST_MM, _WAVES)
    vectors *= (2 * np.pi / (lengths * np.linalg.norm(vectors, axis=1)))[:, None]
    amplitudes = random.uniform(-1, 1, (_WAVES, 3))
    amplitudes *= _BEND_MM / np.abs(amplitudes).sum(axis=0)
    parts = (vectors, amplitudes, random.uniform(0, 2 * np.pi, _WAVES))
    return Waves(*(torch.from_numpy(part).float() for part in parts))
