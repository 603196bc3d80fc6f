"""Receive sensitivities of a ring of loops, by the law of Biot and Savart.

A loop of radius a with its axis along w gives, at distance r from its axis and w from its plane (in units of
mu0 I / 2 pi, K and E the complete elliptic integrals of m = 4 a r / ((a + r)^2 + w^2)),

    Bw = (K + E (a^2 - r^2 - w^2) / ((a - r)^2 + w^2)) / sqrt((a + r)^2 + w^2)
    Br = (-K + E (a^2 + r^2 + w^2) / ((a - r)^2 + w^2)) w / (r sqrt((a + r)^2 + w^2))

and receives M+ with Bx - i By (reciprocity, in the quasi-static limit: no waves, no load, no coupling of loops).
The loops face the z axis from a cylinder around the field of view.  On lattices finer than `_FINE` the fields are
solved on fewer points and interpolated by cubic splines.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.interpolate import make_interp_spline
from scipy.special import ellipe, ellipkm1
from torch import Tensor

from spinloom.tissue.phantom import Phantom

_FINE = 97
"""So many points along an axis at most are solved; splines between them err by 1e-5 of the largest sensitivity."""

_DISTANCE = 0.8
"""Of the loops from the z axis, as a share of the larger extent across it: no wire crosses the field of view."""


def ring_of_loops(phantom: Phantom, count: int) -> Tensor:
    """Sensitivities of `count` loops on the phantom's grid, complex, shape `(coils, z, y, x)`.

    The root of their sum of squares has the mean 1.  The first loop lies on the x axis, the others counter-clockwise.
    """
    distance = _DISTANCE * max(phantom.fov[:2])
    radius = distance * math.sin(math.pi / max(count, 4))
    fine = [phantom.positions(axis).double().cpu().numpy() for axis in ("z", "y", "x")]
    coarse = [axis if axis.size <= _FINE else np.linspace(axis[0], axis[-1], _FINE) for axis in fine]
    z, y, x = np.meshgrid(*coarse, indexing="ij", sparse=True)
    angles = 2 * np.pi * np.arange(count) / count
    fields = torch.from_numpy(np.stack([_seen(x, y, z, angle, distance, radius) for angle in angles]))
    for number, (few, many) in enumerate(zip(coarse, fine, strict=True)):
        if few is not many:
            spline = torch.from_numpy(make_interp_spline(few, np.eye(few.size), k=3)(many)).to(fields)
            fields = torch.tensordot(fields, spline, dims=([number + 1], [1])).movedim(-1, number + 1)
    fields = fields / fields.abs().square().sum(dim=0).sqrt().mean()
    return fields.to(phantom.m0.dtype.to_complex()).to(phantom.m0.device).contiguous()


def _seen(x: np.ndarray, y: np.ndarray, z: np.ndarray, angle: float, distance: float, radius: float) -> np.ndarray:
    """Bx - i By of the loop at `angle` about z, its axis towards the z axis."""
    cosine, sine = np.cos(angle), np.sin(angle)
    inward = distance - (x * cosine + y * sine)
    aside = y * cosine - x * sine
    away = np.hypot(aside, z)
    along, outward = loop_field(away, inward, radius)
    tangential = outward * aside / np.maximum(away, np.finfo(float).tiny)
    bx = -along * cosine - tangential * sine
    by = -along * sine + tangential * cosine
    return bx - 1j * by


def loop_field(r: np.ndarray, w: np.ndarray, a: float) -> tuple[np.ndarray, np.ndarray]:
    """Field along and away from the axis of a loop of radius `a` [m], in units of mu0 I / 2 pi [1/m].

    r, w: distance from the axis and height above the plane of the loop [m]
    """
    far, near = (a + r) ** 2 + w**2, (a - r) ** 2 + w**2
    k, e = ellipkm1(near / far), ellipe(1 - near / far)
    along = (k + e * (a**2 - r**2 - w**2) / near) / np.sqrt(far)
    on_axis = 1.5 * np.pi * a**2 * w * r / (a**2 + w**2) ** 2.5  # its first order, where the formula cancels
    off_axis = np.maximum(r, 1e-4 * a)
    outward = (-k + e * (a**2 + r**2 + w**2) / near) * w / (off_axis * np.sqrt(far))
    return along, np.where(r < 1e-4 * a, on_axis, outward)
