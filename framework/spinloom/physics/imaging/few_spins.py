"""A few isochromats that stand for a phantom, and the rotations that pulses are to them.

A pulse of length T is a rotation between two free precessions, over its time before and behind its centre,

    U = R_z(D T_2) U' R_z(D T_1),   U' = (a, -b*; b, a*),   D = 2 pi (dB0 + G r - f), the mean over the pulse,

so that what U' leaves to do depends smoothly on the place, and the gradient's moment counts from the pulse's centre.
Relaxation during the pulse is taken before and behind it in the same way, which is an approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.imaging.pulse_cells import pulse_cells
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import SpatialPulse

COUNT = 16
"""Isochromats that stand for all; two of them are those of the smallest and the largest B1+."""

CELLS = 128
"""Cells of constant RF by which a pulse is taken."""

_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class FewSpins:
    """Isochromats with their share of all magnetisation.

    weight: sum 1, shape `(spins,)`, as all but `places`
    start: magnetisation along z before the first event, in parts of M0
    r1, r2: [1/s]
    b0, b1: [Hz], and relative to nominal
    places: along x, y, z [m], shape `(spins, 3)`
    """

    weight: np.ndarray
    start: np.ndarray
    r1: np.ndarray
    r2: np.ndarray
    b0: np.ndarray
    b1: np.ndarray
    places: np.ndarray


def few_spins(spins: Spins, count: int = COUNT) -> FewSpins:
    """At most `count` isochromats that hold magnetisation, spread over all; the first where none does."""
    holds = spins.m0.detach().reshape(-1) > 0
    present = torch.nonzero(holds if bool(holds.any()) else ~holds)[:, 0]
    spread = np.modf((np.arange(count - 2) + 0.5) * _GOLDEN)[0] * present.numel()
    transmit = spins.b1.detach().reshape(-1)[present]
    picked = np.unique([*spread.astype(np.int64), int(transmit.argmin()), int(transmit.argmax())])
    chosen = present[torch.from_numpy(picked).to(present.device)]

    def of(values: Tensor) -> np.ndarray:
        found: np.ndarray = values.detach().reshape(-1)[chosen].double().cpu().numpy()
        return found

    m0 = np.maximum(of(spins.m0), np.finfo(float).tiny)
    r1, r2, b0, b1 = (of(values) for values in (spins.r1, spins.r2, spins.b0, spins.b1))
    numbers = np.unravel_index(chosen.cpu().numpy(), tuple(spins.m0.shape))
    z, y, x = (axis.cpu().numpy()[number] for axis, number in zip(spins.axes, numbers, strict=True))
    return FewSpins(m0 / m0.sum(), of(spins.start) / m0, r1, r2, b0, b1, z + y + x)


@dataclass(frozen=True, eq=False)
class Rotation:
    """A pulse as a rotation at its centre.

    before, after: from its begin to its centre and on to its end [s]
    moment_before, moment_after: of its gradient over these [cycles/m], shape `(3,)`
    frequency: [Hz]
    a, b: of U', shape `(spins,)`
    """

    before: float
    after: float
    moment_before: np.ndarray
    moment_after: np.ndarray
    frequency: float
    a: np.ndarray
    b: np.ndarray


def rotation(pulse: SpatialPulse, few: FewSpins) -> Rotation:
    """What `pulse` is to each of a few isochromats."""
    cells = pulse_cells(pulse, CELLS)
    detuning = few.b0 - pulse.frequency + cells.gradient @ few.places.T
    nutation = cells.mean[:, None] * few.b1
    speed = np.sqrt(np.abs(nutation) ** 2 + detuning**2)
    half = np.pi * speed * cells.length[:, None]
    sine = np.sin(half) / np.where(speed > 0, speed, 1.0)
    a, b = _product(np.cos(half) - 1j * detuning * sine, 1j * nutation * sine)
    begins, strength = np.cumsum(pulse.durations) - pulse.durations, np.abs(pulse.nutation) * pulse.durations
    middles, duration = begins + pulse.durations / 2, pulse.duration
    centre = float(middles @ strength / strength.sum()) if strength.any() else duration / 2
    played = np.clip(centre - begins, 0.0, pulse.durations) @ pulse.gradient
    rest = pulse.durations @ pulse.gradient - played
    offset = few.b0 - pulse.frequency
    before = np.pi * (offset * centre + few.places @ played)
    after = np.pi * (offset * (duration - centre) + few.places @ rest)
    a, b = a * np.exp(1j * (before + after)), b * np.exp(1j * (before - after))
    return Rotation(centre, duration - centre, played, rest, pulse.frequency, a, b)


def _product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotations of successive cells as one: neighbours are joined until one is left."""
    while a.shape[0] > 1:
        if a.shape[0] % 2:
            a, b = np.concatenate([a, np.ones_like(a[:1])]), np.concatenate([b, np.zeros_like(b[:1])])
        first, last, turned, tipped = a[::2], a[1::2], b[::2], b[1::2]
        a, b = last * first - tipped.conj() * turned, tipped * first + last.conj() * turned
    return a[0], b[0]
