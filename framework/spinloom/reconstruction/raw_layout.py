"""What ISMRMRD raw data says of k-space in numbers: encoded and reconstructed spaces, counters of each ADC event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinloom.errors import OutputError
from spinloom.interfaces import KSpace
from spinloom.reconstruction.cartesian_plan import CartesianPlan, plan_cartesian
from spinloom.reconstruction.counters import imaging_events
from spinloom.reconstruction.frames import VISIT
from spinloom.reconstruction.nonuniform import nonuniform_matrix
from spinloom.reconstruction.not_cartesian import NotCartesianError

LARGEST_COUNT = 65535
"""Counters and numbers of samples have 16 bits in ISMRMRD."""

STEPS = ("kspace_encode_step_1", "kspace_encode_step_2")

COUNTERS = {
    "LIN": STEPS[0],
    "PAR": STEPS[1],
    "AVG": "average",
    "SLC": "slice",
    "ECO": "contrast",
    "PHS": "phase",
    "REP": "repetition",
    "SET": "set",
    "SEG": "segment",
}


@dataclass(frozen=True, eq=False)
class RawLayout:
    """What the header and the counters say.

    lines, even: whether samples lie on the lines of a grid, and evenly on them
    axes: which of x, y, z the readout and the two steps go along
    fov, matrix: of the image along readout and the two steps [m]
    encoded_fov, encoded_matrix: of what was sampled
    counters: of each ADC event by ISMRMRD's names
    limits: least and largest value and centre of each counter
    turns: k of each sample in cycles a voxel along readout and steps, shape `(samples, 3)`
    """

    lines: bool
    even: bool
    axes: list[int]
    fov: np.ndarray
    matrix: np.ndarray
    encoded_fov: np.ndarray
    encoded_matrix: np.ndarray
    counters: Mapping[str, np.ndarray]
    limits: Mapping[str, tuple[int, int, int]]
    turns: np.ndarray


def raw_layout(kspace: KSpace, fov: np.ndarray, origin: np.ndarray) -> RawLayout:
    """Lay k-space out for ISMRMRD; `fov` along x, y, z [m], `origin` [cycles/m]."""
    events = imaging_events(kspace.labels, kspace.measurements)
    counters = {name: np.zeros(kspace.measurements, dtype=np.int64) for name in COUNTERS.values()}
    counters.update({COUNTERS[name]: values for name, values in kspace.labels.items() if name in COUNTERS})
    try:
        plan = plan_cartesian(kspace, events, fov, "auto", True)
    except NotCartesianError:
        matrix = np.array(nonuniform_matrix(kspace.trajectory - origin, fov))
        turns = (kspace.trajectory - origin) * fov / matrix
        return RawLayout(False, False, [0, 1, 2], fov, matrix, fov, matrix, counters, _limits(counters, {}), turns)
    return _grid_layout(kspace, plan, events, origin, counters)


def _grid_layout(
    kspace: KSpace, plan: CartesianPlan, events: np.ndarray, origin: np.ndarray, counters: dict[str, np.ndarray]
) -> RawLayout:
    axes = [plan.lines.axis, *sorted(plan.grids, key=lambda axis: (plan.grids[axis].taken == 1, axis))]
    matrix = np.array(plan.matrix(origin))
    encoded_fov = 1 / np.where(np.isfinite(plan.steps), plan.steps, 1 / plan.fov)
    encoded_matrix = np.maximum(np.round(matrix * encoded_fov / plan.fov), 1).astype(np.int64)
    centres = {step: int(encoded_matrix[axis]) // 2 for axis, step in zip(axes[1:], STEPS, strict=True)}
    for axis, step in zip(axes[1:], STEPS, strict=True):
        first = (plan.grids[axis].first - origin[axis]) * encoded_fov[axis] if matrix[axis] > 1 else 0.0
        counters[step] = _placed(plan.places[axis] + round(float(first)) + centres[step], events, kspace)
    if VISIT in plan.frames.labels:
        counters["repetition"] = _placed(plan.frames.labels[VISIT][plan.frames.number], events, kspace)
    return RawLayout(
        lines=True,
        even=plan.evenly_sampled,
        axes=axes,
        fov=plan.fov[axes],
        matrix=matrix[axes],
        encoded_fov=encoded_fov[axes],
        encoded_matrix=encoded_matrix[axes],
        counters=counters,
        limits=_limits({name: values[events] for name, values in counters.items()}, centres),
        turns=((kspace.trajectory - origin) * plan.fov / matrix)[:, axes],
    )


def _placed(values: np.ndarray, events: np.ndarray, kspace: KSpace) -> np.ndarray:
    """Values of the imaging events among all, 0 elsewhere."""
    placed = np.zeros(kspace.measurements, dtype=np.int64)
    placed[events] = values
    return placed


def _limits(counters: Mapping[str, np.ndarray], centres: Mapping[str, int]) -> dict[str, tuple[int, int, int]]:
    return {name: (int(values.min()), int(values.max()), centres.get(name, 0)) for name, values in counters.items()}


def check_counts(layout: RawLayout, kspace: KSpace) -> None:
    """Raise `OutputError` for numbers that the format's 16 bits cannot hold."""
    counted = {**layout.counters, "number_of_samples": np.bincount(kspace.measurement)}
    for name, values in counted.items():
        if values.min() < 0 or values.max() > LARGEST_COUNT:
            raise OutputError(
                f"ISMRMRD holds {name} from 0 to {LARGEST_COUNT}, but it goes from {values.min()} to {values.max()}; "
                "change the labels, or shorten the ADC events."
            )
