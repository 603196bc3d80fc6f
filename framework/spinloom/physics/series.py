"""Pulses by Taylor series: how long it must be, what half a symmetric pulse spares, how threads share the work.

A pulse that is symmetric in time is integrated over its first half alone: with J = diag(f_i) times -1 on the y
components, star exchange obeys detailed balance and A = J A^T J^-1, so that the second half, which plays the first one
backwards, has the propagator J U^T J^-1.  The source's column is the only one that must be integrated over both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from spinloom.physics.bloch_mcconnell import rf_generators
from spinloom.physics.kernels import integrate_pulses
from spinloom.physics.propagation import PulseKey
from spinloom.physics.sampling import SampledPulse
from spinloom.physics.star import Star
from spinloom.sequence.timeline import RfWaveform
from spinloom.tissue.pools import Tissue

SERIES_RADIUS = 12.0
"""Largest spectral radius times part of a cell: terms grow to e^12 before they fall, which costs 5 digits of 16."""

SYMMETRY = 1e-7
"""Largest part of a pulse's area by which the two halves of a symmetric one may differ: the digits of a file."""


def spectral_radius(key: PulseKey, star: Star, sampled: SampledPulse, nutation: np.ndarray, lift: float) -> float:
    """Bound of the spectral radius of the generator under a pulse, `lift` added to it [1/s]."""
    detuning = np.abs(star.arrays[0] - 2 * np.pi * key.frequency)
    precession = float(np.hypot(detuning, star.arrays[1] - lift).max())
    peak = key.amplitude * float(nutation.max()) * float(np.abs(sampled.mean).max())
    return max(precession, star.fastest - lift) + peak


def series_plan(radius: float, tolerance: float) -> tuple[int, int]:
    """Taylor terms and parts of a cell for a spectral radius times the cell's length."""
    parts = max(1, math.ceil(radius / SERIES_RADIUS))
    term, terms = 1.0, 0
    while term > tolerance or terms < radius / parts:
        terms += 1
        term *= radius / parts / terms
    return max(terms, 4), parts


def is_symmetric(waveform: RfWaveform) -> bool:
    """Whether an envelope is real and the same backwards."""
    if np.any(waveform.values.imag):
        return False
    ends = np.concatenate([[0.0], np.cumsum(waveform.durations)])
    area = np.concatenate([[0.0], np.cumsum(waveform.values.real * waveform.durations)])
    backwards = area[-1] - np.interp(ends[-1] - ends, ends, area)
    return bool(np.abs(area - backwards).max() <= SYMMETRY * np.abs(area).max())


def first_half(waveform: RfWaveform) -> RfWaveform:
    """The first half of an envelope, a segment across the middle cut."""
    ends = np.cumsum(waveform.durations)
    durations = np.minimum(ends, ends[-1] / 2) - np.minimum(ends - waveform.durations, ends[-1] / 2)
    kept = durations > 1e-12 * ends[-1]
    return RfWaveform(durations[kept], waveform.values[kept], exact=waveform.exact)


@dataclass(frozen=True, eq=False)
class Series:
    """Pulses of one envelope on a batch of tissues, by Taylor series on lanes."""

    tissue: Tissue
    star: Star
    sampled: SampledPulse
    keys: list[PulseKey]
    tolerance: float
    nutation: np.ndarray

    def whole(self, threads: int) -> np.ndarray:
        """Propagators over all cells."""
        return np.concatenate([self._integrate(False, threads), self._integrate(True, threads)], axis=2)

    def halves(self, threads: int) -> np.ndarray:
        """Propagators of symmetric pulses from their first halves; equation at the top of the file."""
        layout, size = self.star.layout, self.star.layout.size - 1
        first = np.swapaxes(self.whole(threads), -1, -2)
        mirror = np.ones(size)
        mirror[layout.y] = -1.0
        metric = mirror * self.star.weights
        half, source = first[..., :size], first[..., size:]
        back = metric[:, None, :, None] * np.swapaxes(half, -1, -2) / metric[:, None, None, :]
        late = self._integrate(True, threads, backwards=True)
        whole = np.concatenate([back @ half, back @ source + np.swapaxes(late, -1, -2)], axis=-1)
        return np.swapaxes(whole, -1, -2)

    def _integrate(self, source: bool, threads: int, backwards: bool = False) -> np.ndarray:
        """The source's column or all others over the cells, forwards or backwards: `(tissues, keys, columns, size)`."""
        size, tissues = self.star.layout.size - 1, self.star.weights.shape[0]
        columns, first, lift = (1, size, 0.0) if source else (size, 0, self.star.fastest / 2)
        plan = np.array([self._plan(key, lift) for key in self.keys])
        order = np.argsort(plan.prod(axis=1), kind="stable")
        key_of, tissue_of = (axis.ravel() for axis in np.meshgrid(order, np.arange(tissues), indexing="ij"))
        out = np.empty((key_of.size, columns, size))
        carrier = 2 * np.pi * np.array([key.frequency for key in self.keys])
        shared, absorption, nutation = self._shared(backwards), self._absorption, self._nutation

        def run(part: slice) -> None:
            terms, parts = plan[key_of[part]].T
            jobs = (tissue_of[part], key_of[part])
            integrate_pulses(
                *self.star.arrays,
                absorption,
                nutation,
                *jobs,
                carrier,
                *shared,
                np.ascontiguousarray(terms),
                np.ascontiguousarray(parts),
                lift,
                columns,
                first,
                out[part],
            )

        in_parts(run, key_of.size, threads)
        ordered = out.reshape(len(self.keys), tissues, columns, size)
        result = np.empty_like(ordered)
        result[order] = ordered
        return np.moveaxis(result, 0, 1)

    def _plan(self, key: PulseKey, lift: float) -> tuple[int, int]:
        radius = spectral_radius(key, self.star, self.sampled, self.nutation[None], lift)
        return series_plan(radius * float(self.sampled.length.max()), self.tolerance)

    @cached_property
    def _nutation(self) -> np.ndarray:
        return np.array([key.amplitude for key in self.keys])[:, None] * self.nutation

    @cached_property
    def _absorption(self) -> np.ndarray:
        size, bound = self.star.layout.size - 1, self.star.layout.semisolid
        frequency = torch.tensor([[key.frequency] for key in self.keys], dtype=torch.float64)
        _, _, saturation = rf_generators(self.tissue, frequency.expand(-1, self.tissue.b0.numel()))
        return np.ascontiguousarray(-saturation[..., size - bound : size].transpose(1, 2).numpy())

    def _shared(self, backwards: bool) -> tuple[np.ndarray, ...]:
        """Lengths, and begin and rise of the lines that have the cells' averages."""
        turn = slice(None, None, -1 if backwards else 1)
        sign = -1.0 if backwards else 1.0
        pulse = self.sampled
        lines = []
        for mean, slope in (
            (pulse.mean.real, pulse.slope.real),
            (pulse.mean.imag, pulse.slope.imag),
            (pulse.power, pulse.power_slope),
        ):
            rise = sign * 12 * slope[turn]
            lines += [mean[turn] - rise / 2, rise]
        return tuple(np.ascontiguousarray(values) for values in (pulse.length[turn], *lines))


def in_parts(run: Callable[[slice], None], jobs: int, threads: int) -> None:
    """Share `jobs` among threads; the loops release the interpreter, and each job's numbers are its own."""
    borders = np.linspace(0, jobs, min(threads, jobs) + 1).astype(int)
    parts = [slice(int(a), int(b)) for a, b in itertools.pairwise(borders)]
    if len(parts) == 1:
        run(parts[0])
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        for _ in pool.map(run, parts):
            pass
