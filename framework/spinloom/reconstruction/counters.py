"""What labels say of lines: which ones are no image data, and whether their counters agree with the moments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinloom.errors import SequenceError
from spinloom.reconstruction.grids import Grid
from spinloom.reconstruction.lines import AXES

NOT_IMAGING = ("NAV", "NOISE", "OFF")
"""Flags of ADC events that are no image data; so are those with REF but without IMA."""

COUNTERS = ("LIN", "PAR")


def imaging_events(labels: Mapping[str, np.ndarray], measurements: int) -> np.ndarray:
    """The ADC events that labels leave for the image, shape `(events,)`."""
    none = np.zeros(measurements, dtype=np.int64)
    left_out = (labels.get("REF", none) != 0) & (labels.get("IMA", none) == 0)
    for name in NOT_IMAGING:
        left_out |= labels.get(name, none) != 0
    return np.flatnonzero(~left_out)


def check_counters(
    labels: Mapping[str, np.ndarray], grids: Mapping[int, Grid], places: Mapping[int, np.ndarray]
) -> None:
    """Raise `SequenceError` where LIN or PAR contradicts the gradient moments.

    A counter agrees with an axis where it rises, or falls, with each step of k on it, whatever its beginning and step.

    labels: of each line
    grids, places: of the axes across the lines, and each line's place on them
    """
    encoded = [axis for axis, grid in grids.items() if grid.taken > 1]
    for name in COUNTERS:
        if name not in labels or np.ptp(labels[name]) == 0:
            continue
        if not any(_agree(labels[name], places[axis]) for axis in encoded):
            raise SequenceError(_contradiction(name, labels[name], encoded, grids, places))


def _agree(counter: np.ndarray, place: np.ndarray) -> bool:
    """Whether each value of the counter is one place and they rise or fall together."""
    pairs = np.unique(np.stack([counter, place]), axis=1)
    if pairs.shape[1] != np.unique(counter).size:
        return False
    steps = np.diff(pairs[1])
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _contradiction(
    name: str, counter: np.ndarray, encoded: list[int], grids: Mapping[int, Grid], places: Mapping[int, np.ndarray]
) -> str:
    """A sentence that shows two lines whose labels and moments disagree."""
    remedy = "Correct the labels, or choose use_labels=False to go by the moments."
    if not encoded:
        return f"Label {name} counts from {counter.min()} to {counter.max()}, but the lines lie at one k. {remedy}"
    axis = encoded[0]
    order = np.lexsort((places[axis], counter))
    steps = np.diff(places[axis][order]) * np.sign(places[axis][order[-1]] - places[axis][order[0]] or 1)
    turn = np.flatnonzero((steps < 0) | ((steps != 0) == (np.diff(counter[order]) == 0)))
    one, other = order[turn[0]], order[turn[0] + 1]
    k = grids[axis].positions
    return (
        f"Label {name} contradicts the gradient moments: it is {counter[one]} and {counter[other]} on lines at "
        f"{k[places[axis][one]]:.4g} and {k[places[axis][other]]:.4g} cycles/m along {AXES[axis]}, out of the order "
        f"of the others. {remedy}"
    )
