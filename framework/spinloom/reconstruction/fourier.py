"""The transform along one axis as a matrix: image(r) = step * extent * sum over k of S(k) exp(-2 pi i k r).

S is the mean over the object's extent of M(r) exp(+2 pi i k r) (docs/conventions.md), so that the sum over samples
`step` apart, which encode a field of view of 1 / step, gives M its own size: step * extent is the ratio of the two.
Positions stand in the exponent as they are: no grid is needed, and half samples and reversed lines are nothing special.
"""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-8
"""Combinations of samples that an object within the field of view excites by less than this part are left out."""


def transform(k: np.ndarray, places: np.ndarray, step: float, extent: float) -> np.ndarray:
    """Matrix from samples at `k` [cycles/m], `step` apart, to the image at `places` [m], shape `(places, k)`.

    extent: of the object along the axis [m]
    """
    size = step * extent if np.isfinite(step) else 1.0
    return size * np.exp(-2j * np.pi * np.outer(places, k))


def resampling(k: np.ndarray, even: np.ndarray, fov: float) -> np.ndarray:
    """Matrix from samples at any `k` to those at `even` positions [cycles/m], shape `(even, k)`.

    Samples of an object within `fov` [m] are related by sinc((k - k') fov); of all signals that such an object can
    give, this takes the smallest that explains the samples (least squares, minimum norm).  An object that keeps a
    twentieth of the field of view from its edge comes out to 1e-5 where samples are nowhere sparser than 1 / (1.2 fov),
    and to 1e-3 where they are just 1 / fov apart on the flat top of their gradient.
    """
    related = np.sinc((k[:, None] - k) * fov)
    wanted = np.sinc((even[:, None] - k) * fov)
    matrix: np.ndarray = wanted @ np.linalg.pinv(related, rcond=SMALLEST, hermitian=True)
    return matrix
