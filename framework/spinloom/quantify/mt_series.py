"""The magnetisation transfer ratio of a series of offsets and powers.

    MTR = 1 - Mz / M0

M0 as for Z-spectra.  A series plays several offsets at each of its powers; a fingerprint schedule, in which hardly any
two measurements share a power, is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from spinloom.interfaces import Signal
from spinloom.physics.saturation_rate import saturation_rates
from spinloom.quantify.zspectrum import z_spectrum
from spinloom.sequence.saturation_power import saturation_rms
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue
from spinloom.units import MICROTESLA, PPM, PROTON_GAMMA_BAR

FEWEST_OFFSETS = 3
"""Offsets that a power must have to be drawn as a curve."""


@dataclass(frozen=True, eq=False)
class MtSeries:
    """Saturation and its effect, measurement by measurement, M0 scans left out.

    measurement: numbers counted from 1, shape `(n,)`
    offset_ppm, offset_hz: of the saturation, NaN without RF, shape `(n,)`
    b1_ut: root mean square of B1 while RF is on [uT], shape `(n,)`
    rates: W of each semisolid pool [1/s], shape `(pools, *batch, n)`
    mz: relative to equilibrium, shape `(*batch, n)`
    mtr: 1 - Mz / M0, shape `(*batch, n)`
    """

    measurement: np.ndarray
    offset_ppm: np.ndarray
    offset_hz: np.ndarray
    b1_ut: np.ndarray
    rates: Tensor
    mz: Tensor
    mtr: Tensor

    def powers(self) -> Iterator[tuple[float, np.ndarray]]:
        """Each B1 [uT] that has several offsets, rising, with its measurements in rising order of offset."""
        rounded = np.array([float(f"{value:.3g}") for value in self.b1_ut])
        for power in np.unique(rounded[rounded > 0]):
            members = np.flatnonzero((rounded == power) & np.isfinite(self.offset_hz))
            if np.unique(self.offset_hz[members]).size >= FEWEST_OFFSETS:
                yield float(power), members[np.argsort(self.offset_hz[members], kind="stable")]

    @property
    def is_power_series(self) -> bool:
        """Whether most measurements belong to a power with several offsets."""
        return 2 * sum(members.size for _, members in self.powers()) > self.b1_ut.size and self._in_file_order()

    def _in_file_order(self) -> bool:
        """Whether each power is played as one stretch, as a series is and a schedule is not."""
        rounded = np.array([float(f"{value:.3g}") for value in self.b1_ut])
        return 1 + np.count_nonzero(np.diff(rounded)) == np.unique(rounded).size


def mt_series(timeline: Timeline, tissue: Tissue, signal: Signal) -> MtSeries:
    """The series in `signal`, which is what `timeline` plays on `tissue`."""
    spectrum = z_spectrum(signal, timeline.definitions)
    kept = np.flatnonzero(~spectrum.m0_scans)
    larmor = float(tissue.larmor.detach().mean())
    return MtSeries(
        measurement=kept + 1,
        offset_ppm=signal.offset_ppm[kept],
        offset_hz=signal.offset_ppm[kept] * PPM * larmor,
        b1_ut=saturation_rms(timeline)[kept] / (PROTON_GAMMA_BAR * MICROTESLA),
        rates=saturation_rates(timeline, tissue)[..., kept],
        mz=spectrum.mz[..., kept],
        mtr=(1 - spectrum.mz_over_m0)[..., kept],
    )
