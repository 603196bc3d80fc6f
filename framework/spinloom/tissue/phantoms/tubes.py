"""Tubes of known T1 and T2: a ring of cylinders in a bath, as a system phantom is built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.solids import Ellipsoid, fill, paint


@dataclass(frozen=True)
class Liquid:
    """Relaxation times [s] and the proton density, relative to 1, of what a tube or the bath holds."""

    t1: float
    t2: float
    m0: float = 1.0


def tubes(
    lattice: Lattice, liquids: Sequence[Liquid], bath: Liquid, radius: float, ring: float, bath_radius: float
) -> Phantom:
    """Cylinders along z, the first at 12 o'clock and the others clockwise, in a round bath; nothing outside.

    radius, ring, bath_radius: of a tube, of the circle on which their centres lie, of the bath [m]
    """
    angles = [math.pi / 2 - 2 * math.pi * number / len(liquids) for number in range(len(liquids))]
    centres = [(ring * math.cos(angle), ring * math.sin(angle)) for angle in angles]
    solids = [_cylinder(0.0, 0.0, bath_radius), *(_cylinder(x, y, radius) for x, y in centres)]
    contents = [bath, *liquids]
    label = paint(lattice, solids)
    return lattice.phantom(
        "tubes",
        m0=fill(label, [liquid.m0 for liquid in contents], 0.0, lattice.dtype),
        t1=fill(label, [liquid.t1 for liquid in contents], 1.0, lattice.dtype),
        t2=fill(label, [liquid.t2 for liquid in contents], 1.0, lattice.dtype),
    )


def _cylinder(x: float, y: float, radius: float) -> Ellipsoid:
    return Ellipsoid((x, y, 0.0), (radius, radius, math.inf))
