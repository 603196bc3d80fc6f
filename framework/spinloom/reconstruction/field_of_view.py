"""The field of view of an image: given, stated in the file's definition FOV, or that of the phantom."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinloom.errors import ConfigurationError
from spinloom.interfaces import KSpace

IN_MILLIMETRES = 5.0
"""No field of view is larger than this [m]; files that state a larger one mean millimetres, as older ones did."""


def field_of_view(
    kspace: KSpace,
    definitions: Mapping[str, float | tuple[float, ...] | str],
    fov: tuple[float, float, float] | None,
) -> np.ndarray:
    """Extent of the image along x, y, z [m], shape `(3,)`.

    definitions: of the timeline; FOV is in metres along x, y, z.  One number is taken for x and y, and an axis that is
        not stated, or is 0, has the extent of the phantom

    Raises `ConfigurationError` for a given `fov` that is none.
    """
    if fov is not None:
        if len(fov) != 3 or not all(0 < extent < np.inf for extent in fov):
            raise ConfigurationError(f"fov is {fov}; it is three positive lengths in metres, along x, y and z.")
        return np.array(fov, dtype=np.float64)
    extents = np.array(kspace.fov, dtype=np.float64)
    stated = _stated(definitions.get("FOV"))
    extents[: stated.size] = np.where(stated > 0, stated, extents[: stated.size])
    return extents


def _stated(value: float | tuple[float, ...] | str | None) -> np.ndarray:
    """What a file states, in metres; empty where that is nothing that one could use."""
    if isinstance(value, float):
        value = (value, value)
    if not isinstance(value, tuple) or len(value) not in (2, 3) or not all(np.isfinite(value)):
        return np.zeros(0)
    stated = np.array(value, dtype=np.float64)
    return stated / 1000 if stated.max() > IN_MILLIMETRES else stated
