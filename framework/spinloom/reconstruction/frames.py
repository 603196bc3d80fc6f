"""Which image each line belongs to: slices, contrasts and repetitions by labels, or by how often k-space is visited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinloom.errors import ConfigurationError, SequenceError, known_names

SLICE = "SLC"
CONTRASTS = ("SET", "PHS", "ECO", "ACQ", "REP")
"""Labels that tell images apart where they tell visits of one place apart; an echo train labels echoes of one image."""

REPEATS = ("auto", "frames", "average", "first", "last")
"""What becomes of lines that visit a place again without a label that says so."""

VISIT = "visit"
"""Name of the count of visits among the labels of frames."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Images that lines make up.

    number: frame of each line, -1 for one that is left out, shape `(lines,)`
    labels: by name, of each frame, shape `(frames,)`
    """

    number: np.ndarray
    labels: Mapping[str, np.ndarray]

    @property
    def count(self) -> int:
        """Number of frames."""
        return int(self.number.max()) + 1


def frames_of(places: np.ndarray, labels: Mapping[str, np.ndarray], repeats: str) -> Frames:
    """Sort lines into frames.

    places: which place of k-space each line takes, shape `(lines,)`
    labels: of each line, by Pulseq's names
    repeats: one of `REPEATS`.  `auto` averages where AVG tells visits apart, makes a frame of each visit where all
        places are visited equally often, and refuses otherwise

    Raises `SequenceError` where visits cannot be told apart.
    """
    if repeats not in REPEATS:
        raise ConfigurationError(f"repeats is {repeats!r}. {known_names(str(repeats), REPEATS)}")
    names = [SLICE] if SLICE in labels else []
    for name in CONTRASTS:
        if name in labels and _distinct(labels, [*names, name], places) > _distinct(labels, names, places):
            names.append(name)
    image = _number(*(labels[name] for name in names), size=places.size)
    visit, visits = _visits(_number(image, places))
    if repeats == "auto" and "AVG" in labels and _distinct(labels, [*names, "AVG"], places) == places.size:
        repeats = "average"
    if visits.max() == 1 or repeats == "average":
        return _frames(labels, names, image)
    if repeats in ("first", "last"):
        kept = visit == (0 if repeats == "first" else visits - 1)
        return _frames(labels, names, np.where(kept, image, -1))
    if repeats == "auto" and np.ptp(visits) > 0:
        raise SequenceError(
            f"Places of k-space are visited {visits.min()} to {visits.max()} times, and no label says which visits "
            f"belong together. Label them ({', '.join((SLICE, *CONTRASTS))}, AVG or NAV), or choose repeats='average', "
            "'first', 'last' or 'frames'."
        )
    return _frames({**labels, VISIT: visit}, [*names, VISIT], _number(image, visit))


def _frames(labels: Mapping[str, np.ndarray], names: list[str], number: np.ndarray) -> Frames:
    _, first = np.unique(number[number >= 0], return_index=True)
    kept = np.flatnonzero(number >= 0)[first]
    return Frames(number, {name: labels[name][kept] for name in names})


def _number(*columns: np.ndarray, size: int = 0) -> np.ndarray:
    """Number of each row among the distinct rows in rising order; 0 everywhere without columns."""
    if not columns:
        return np.zeros(size, dtype=np.int64)
    return np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1)


def _distinct(labels: Mapping[str, np.ndarray], names: list[str], places: np.ndarray) -> int:
    return int(_number(*(labels[name] for name in names), places).max()) + 1


def _visits(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many members of its group come before each line, and how many its group has."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)
    rank = np.empty(groups.size, dtype=np.int64)
    rank[order] = np.arange(groups.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank, counts[groups]
