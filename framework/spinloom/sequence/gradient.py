"""A gradient on one axis as Pulseq defines it: points in time that straight lines join."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinloom.sequence.shape import Shape


@dataclass(frozen=True, eq=False)
class GradientEvent:
    """A gradient on one axis, straight between points.

    kind: trapezoid, extended (points of a time shape) or arbitrary (a sample a raster cell)
    amplitude: gradient at waveform 1 [Hz/m]
    delay: from the block's begin to the first point [s]
    knots: times of a trapezoid's four points after the delay [s]; None for a sampled waveform
    waveform, timing: sampled waveform and its time points in rasters; timing None means a sample a raster cell,
        at its centre, or every half raster where `oversampled`
    first, last: value at the begin and end of a sampled waveform [Hz/m]
    raster: gradient raster [s]
    """

    kind: str
    amplitude: float
    delay: float
    knots: tuple[float, float, float, float] | None
    waveform: Shape | None
    timing: Shape | None
    oversampled: bool
    first: float
    last: float
    raster: float

    @cached_property
    def duration(self) -> float:
        """From the block's begin to the gradient's end [s]."""
        return self.delay + self._length

    @property
    def _length(self) -> float:
        if self.knots is not None:
            return self.knots[-1]
        assert self.waveform is not None
        if self.timing is not None:
            return self.timing.last * self.raster
        return (self.waveform.size + 1) / 2 * self.raster if self.oversampled else self.waveform.size * self.raster

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Times after the block's begin [s] and gradient [Hz/m] at the points that straight lines join."""
        if self.knots is not None:
            return self.delay + np.array(self.knots), self.amplitude * np.array([0.0, 1.0, 1.0, 0.0])
        assert self.waveform is not None
        values = self.amplitude * self.waveform.samples()
        if self.timing is not None:
            return self.delay + self.timing.samples() * self.raster, values
        step = self.raster / 2 if self.oversampled else self.raster
        times = (np.arange(values.size) + (1.0 if self.oversampled else 0.5)) * step
        times = np.concatenate([[0.0], times, [self._length]])
        return self.delay + times, np.concatenate([[self.first], values, [self.last]])

    @cached_property
    def moment(self) -> float:
        """Integral over time [cycles/m]."""
        times, values = self.points()
        return float(np.trapezoid(values, times))

    @cached_property
    def _cumulative(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, gradient, and moment up to each point, of strictly rising times but for jumps."""
        times, values = self.points()
        steps = np.diff(times) * (values[1:] + values[:-1]) / 2
        return times, values, np.concatenate([[0.0], np.cumsum(steps)])

    def moment_at(self, times: np.ndarray) -> np.ndarray:
        """Integral from the block's begin to each of `times` after it [s], in cycles/m, of the shape of `times`."""
        points, values, moments = self._cumulative
        clipped = np.clip(times, points[0], points[-1])
        left = np.clip(np.searchsorted(points, clipped, side="right") - 1, 0, points.size - 2)
        width = points[left + 1] - points[left]
        since = clipped - points[left]
        slope = np.divide(values[left + 1] - values[left], width, out=np.zeros_like(width), where=width > 0)
        exact: np.ndarray = moments[left] + since * (values[left] + slope * since / 2)
        return exact
