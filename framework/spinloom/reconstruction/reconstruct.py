"""From k-space to images: Cartesian lines by the plain Fourier sum, anything else by gridding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinloom.errors import ConfigurationError, RequirementError, known_names
from spinloom.interfaces import KSpace
from spinloom.reconstruction.cartesian import cartesian_image
from spinloom.reconstruction.cartesian_plan import plan_cartesian
from spinloom.reconstruction.counters import imaging_events
from spinloom.reconstruction.field_of_view import field_of_view
from spinloom.reconstruction.image import Image
from spinloom.reconstruction.nonuniform import nonuniform_image
from spinloom.reconstruction.not_cartesian import NotCartesianError

METHODS = ("auto", "cartesian", "nufft")

Definitions = Mapping[str, float | tuple[float, ...] | str]


def reconstruct(
    kspace: KSpace,
    definitions: Definitions | None = None,
    *,
    fov: tuple[float, float, float] | None = None,
    matrix: tuple[int, int, int] | None = None,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    events: np.ndarray | None = None,
    method: str = "auto",
    repeats: str = "auto",
    use_labels: bool = True,
) -> Image:
    """Images of a phantom, a frame for each slice, contrast and repetition.

    definitions: of the timeline, whose FOV is that of the image
    fov: extent along x, y, z [m] instead; without either it is the phantom's
    matrix: voxels along x, y, z; without it as many as the trajectory resolves.  More interpolate
    origin: the position that counts as k = 0 [cycles/m], such as `grid_centre` gives for trains that constant moments
        shift; it turns the image's phase and says on which side of it lines are missing
    events: ADC events to take; without it all that labels do not mark as navigators, noise or calibration
    method: `cartesian` needs lines on a grid, `nufft` takes any samples, `auto` the first where it can
    repeats: what becomes of lines that visit a place again (`frames.REPEATS`)
    use_labels: whether labels tell frames apart and are held against the moments

    Raises `RequirementError` without samples, `SequenceError` where they do not make up images.
    """
    if method not in METHODS:
        raise ConfigurationError(f"method is {method!r}. {known_names(str(method), METHODS)}")
    chosen, extents = _chosen(kspace, events, use_labels), field_of_view(kspace, definitions or {}, fov)
    centre = np.array(origin, dtype=np.float64)
    _check_matrix(matrix)
    if method != "nufft":
        try:
            plan = plan_cartesian(kspace, chosen, extents, repeats, use_labels)
            return cartesian_image(kspace, plan, matrix or plan.matrix(centre), centre)
        except NotCartesianError:
            if method == "cartesian":
                raise
    return nonuniform_image(kspace, chosen, extents, matrix, centre, use_labels)


def grid_centre(
    kspace: KSpace,
    definitions: Definitions | None = None,
    *,
    fov: tuple[float, float, float] | None = None,
    events: np.ndarray | None = None,
) -> tuple[float, float, float]:
    """Centre of the Cartesian grid that lines span along x, y, z [cycles/m]: what `reconstruct` takes as `origin`.

    It is place n // 2 of the n evenly spaced places along each axis, as index n // 2 of a transform is k = 0.
    """
    extents = field_of_view(kspace, definitions or {}, fov)
    return plan_cartesian(kspace, _chosen(kspace, events, True), extents, "average", False).centre


def _chosen(kspace: KSpace, events: np.ndarray | None, use_labels: bool) -> np.ndarray:
    """Numbers of the ADC events to take, rising."""
    if kspace.measurements == 0:
        raise RequirementError("The sequence takes no ADC sample, so that there is no image; add readouts to it.")
    if events is None:
        chosen = imaging_events(kspace.labels if use_labels else {}, kspace.measurements)
    else:
        chosen = np.unique(np.arange(kspace.measurements)[events])
    if chosen.size == 0:
        raise RequirementError("No ADC event is left for the image: labels mark all as navigators or calibration.")
    return chosen


def _check_matrix(matrix: tuple[int, int, int] | None) -> None:
    if matrix is not None and (len(matrix) != 3 or not all(int(count) == count >= 1 for count in matrix)):
        raise ConfigurationError(f"matrix is {matrix}; it is three counts of voxels from 1, along x, y and z.")
