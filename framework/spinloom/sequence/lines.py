"""Lines to draw, in time order: laid out once for each distinct event, placed for every play, thinned to pixels.

The work grows with what is visible, not with what is played.  Thinning keeps the first, last, least and greatest
value of each pixel's width, which draws the same picture as all points would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinloom.sequence.timeline import Timeline

Line = tuple[np.ndarray, np.ndarray]
"""Times [s] and values, both of shape `(points,)`; NaN where the line is broken."""


@dataclass(frozen=True)
class View:
    """The part of a timeline that is drawn: from `start` to `stop` [s], `pixels` wide."""

    start: float
    stop: float
    pixels: int = 1600

    @property
    def pixel(self) -> float:
        """Time that a pixel covers [s]."""
        return (self.stop - self.start) / self.pixels

    def blocks(self, timeline: Timeline, table: np.ndarray) -> np.ndarray:
        """Indices of the visible blocks that play an event of the block table `table`, in playing order."""
        first = max(int(np.searchsorted(timeline.block_start, self.start, side="right")) - 1, 0)
        last = int(np.searchsorted(timeline.block_start, self.stop, side="left"))
        return first + np.flatnonzero(table[first:last] >= 0)


def thin(times: np.ndarray, values: np.ndarray, pixel: float) -> Line:
    """Leave out points that a line of finite `values` does not need where `pixel` seconds are one pixel."""
    column = np.floor((times - times[0]) / pixel) if times.size else times
    edges = np.flatnonzero(np.diff(column)) + 1
    if times.size <= 4 * (edges.size + 1):
        return times, values
    begins, ends = np.append(0, edges), np.append(edges, times.size) - 1
    order = np.lexsort((values, column))
    kept = np.unique(np.concatenate([begins, ends, order[begins], order[ends]]))
    return times[kept], values[kept]


def place(
    which: np.ndarray,
    starts: np.ndarray,
    outline: Callable[[int], Line],
    scale: np.ndarray | float = 1.0,
    shift: np.ndarray | float = 0.0,
) -> Line:
    """One line of all plays, in playing order: `scale * values + shift` of outline `which`, begun at `starts`."""
    if not which.size:
        return np.zeros(0), np.zeros(0)
    scale, shift = np.broadcast_to(scale, which.shape), np.broadcast_to(shift, which.shape)
    order = np.argsort(which, kind="stable")
    lines, owners = [], []
    for plays in np.split(order, np.flatnonzero(np.diff(which[order])) + 1):
        times, values = outline(int(which[plays[0]]))
        lines.append((starts[plays, None] + times, scale[plays, None] * values + shift[plays, None]))
        owners.append(np.repeat(plays, times.size))
    played = np.argsort(np.concatenate(owners), kind="stable")
    times, values = (np.concatenate([part.ravel() for part in parts])[played] for parts in zip(*lines, strict=True))
    return times, values


def on_zero(line: Line, view: View) -> Line:
    """The visible part of a line, thinned, on a base of zero that reaches both ends of the view."""
    times, values = line
    first, last = np.searchsorted(times, [view.start, view.stop])
    kept = slice(max(int(first) - 1, 0), int(last) + 1)
    times, values = thin(times[kept], values[kept], view.pixel)
    before = int(not times.size or times[0] > view.start)
    after = int(not times.size or times[-1] < view.stop)
    return np.concatenate([[view.start] * before, times, [view.stop] * after]), np.pad(values, (before, after))
