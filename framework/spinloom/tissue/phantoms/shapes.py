"""Random shapes with texture: training sets that look like no anatomy, so that a network learns physics.

Ellipsoids and boxes of random place, size and direction, one over the other in a round body, each with an M0, T1 and
T2 of its own; a texture varies them within the shapes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.randomness import stream, texture
from spinloom.tissue.phantoms.solids import Box, Ellipsoid, Solid, fill, paint

_BODY = 0.46
"""Half axes of the body, as a share of the field of view."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Where the maps' values lie: M0 is drawn evenly, T1 and T2 [s] evenly in their logarithm, T2 at most T1."""

    m0: Range
    t1: Range
    t2: Range


def shapes(lattice: Lattice, count: int, ranges: Ranges, roughness: float, seed: int) -> Phantom:
    """A body with `count` shapes in it.

    roughness: by how much texture varies each map, up and down, as a share of its value; 0 is none
    """
    random = stream(seed, "shapes")
    extents = np.array(lattice.fov)
    flat = lattice.shape[0] == 1
    solids = [_body(lattice, flat), *(_solid(random, extents, flat) for _ in range(count))]
    label = paint(lattice, solids)
    label.masked_fill_(~solids[0].holds(*lattice.places()), -1)
    m0, t1, t2 = (_map(label, len(solids), name, getattr(ranges, name), roughness, seed) for name in ("m0", "t1", "t2"))
    inside = label >= 0
    return lattice.phantom("shapes", torch.where(inside, m0, 0.0), t1, torch.minimum(t1, t2))


def _body(lattice: Lattice, flat: bool) -> Ellipsoid:
    x, y, z = (_BODY * extent for extent in lattice.fov)
    return Ellipsoid((0.0, 0.0, 0.0), (x, y, math.inf if flat else z))


def _solid(random: np.random.Generator, extents: np.ndarray, flat: bool) -> Solid:
    """One shape: small ones are as likely as large ones."""
    centre = random.uniform(-0.8 * _BODY, 0.8 * _BODY, 3) * extents
    radii = np.exp(random.uniform(math.log(0.02), math.log(0.2), 3)) * extents
    angle = random.uniform(0, math.pi)
    if flat:
        centre[2], radii[2] = 0.0, math.inf
    kind = (Ellipsoid, Box)[int(random.integers(2))]
    return kind(tuple(centre.tolist()), tuple(radii.tolist()), angle)


def _map(label: Tensor, count: int, name: str, limits: Range, roughness: float, seed: int) -> Tensor:
    """One value a shape, times its texture, within the limits."""
    random, (low, high) = stream(seed, name), limits
    drawn = random.uniform(low, high, count) if name == "m0" else _logarithmic(random, low, high, count)
    varied = fill(label, drawn.tolist(), low, torch.float64)
    if roughness:
        shape = (label.shape[0], label.shape[1], label.shape[2])
        varied *= 1 + roughness * texture(shape, seed, f"texture of {name}")
    return varied.clamp(low, high)


def _logarithmic(random: np.random.Generator, low: float, high: float, count: int) -> np.ndarray:
    return np.exp(random.uniform(math.log(low), math.log(high), count))
