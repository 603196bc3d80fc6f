"""Pulses by Taylor series: what the compiled loops of `pulse_lanes` are given, and how threads share the work."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from spinloom.physics.bloch_mcconnell import rf_generators
from spinloom.physics.propagation import PulseKey
from spinloom.physics.pulse_lanes import integrate_pulses
from spinloom.physics.sampling import SampledPulse
from spinloom.physics.star import Star
from spinloom.tissue.pools import Tissue

SERIES_RADIUS = 12.0
"""Largest spectral radius times part of a cell: terms grow to e^12 before they fall, which costs 5 digits of 16."""


def spectral_radii(
    keys: list[PulseKey], star: Star, sampled: SampledPulse, nutation: np.ndarray, lift: float
) -> np.ndarray:
    """Bounds of the spectral radius of the generator under each pulse, `lift` added to it [1/s], shape `(keys,)`."""
    carrier = 2 * np.pi * np.array([key.frequency for key in keys])[:, None]
    amplitude = np.array([key.amplitude for key in keys])
    shift, width = star.arrays[0], np.abs(star.arrays[1] - lift).max(axis=1)
    detuning = np.maximum(np.abs(shift.max(axis=1) - carrier), np.abs(shift.min(axis=1) - carrier))
    precession = np.hypot(detuning, width).max(axis=1)
    peak = np.abs(amplitude) * float(nutation.max()) * float(np.abs(sampled.mean).max())
    return np.maximum(precession, star.fastest - lift) + peak


def absorptions(tissue: Tissue, frequency: np.ndarray) -> np.ndarray:
    """L [s] of every semisolid pool at each frequency [Hz], shape `(frequencies, pools, tissues)`."""
    bound = len(tissue.semisolid)
    if not bound:
        return np.zeros((frequency.size, 0, tissue.b0.numel()))
    each, which = np.unique(frequency, return_inverse=True)
    _, _, saturation = rf_generators(tissue, torch.from_numpy(each)[:, None].expand(-1, tissue.b0.numel()))
    return np.ascontiguousarray(-saturation[..., -1 - bound : -1].transpose(1, 2).numpy()[which])


@dataclass(frozen=True, eq=False)
class Series:
    """Pulses of one envelope on a batch of tissues, by Taylor series on lanes."""

    tissue: Tissue
    star: Star
    sampled: SampledPulse
    keys: list[PulseKey]
    tolerance: float
    nutation: np.ndarray

    def solve(self, mirrored: bool, threads: int, out: np.ndarray) -> None:
        """Write propagators by columns, the source's last, into `out`, shape `(keys, tissues, size + 1, size)`.

        mirrored: whether the cells are the first half of a symmetric pulse
        """
        tissues, lift = self.star.weights.shape[0], self.star.fastest / 2
        order = np.argsort(spectral_radii(self.keys, self.star, self.sampled, self.nutation, lift), kind="stable")
        key_of, tissue_of = (axis.ravel() for axis in np.meshgrid(order, np.arange(tissues), indexing="ij"))
        frequency = np.array([key.frequency for key in self.keys])
        cells, absorption, nutation = self._cells(), absorptions(self.tissue, frequency), self._nutation

        def run(part: slice) -> None:
            integrate_pulses(
                *self.star.balanced,
                absorption,
                nutation,
                2 * np.pi * frequency,
                key_of[part],
                tissue_of[part],
                cells,
                self.tolerance,
                SERIES_RADIUS,
                lift,
                mirrored,
                out,
            )

        in_parts(run, key_of.size, threads)

    @cached_property
    def _nutation(self) -> np.ndarray:
        return np.array([key.amplitude for key in self.keys])[:, None] * self.nutation

    def _cells(self) -> np.ndarray:
        """Lengths, and begin and rise of the lines that have the cells' averages, shape `(7, cells)`."""
        pulse = self.sampled
        averages = (
            (pulse.mean.real, pulse.slope.real),
            (pulse.mean.imag, pulse.slope.imag),
            (pulse.power, pulse.power_slope),
        )
        lines = [line for mean, slope in averages for line in (mean - 6 * slope, 12 * slope)]
        return np.stack([pulse.length, *lines])


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
