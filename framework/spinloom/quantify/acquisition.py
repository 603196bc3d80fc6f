"""How a series of images was measured: the offset of each, and which of them are M0 scans.

Offsets come from the sequence file that was played, or from a text file of numbers [ppm] where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinloom.quantify.zspectrum import SpectrumError, find_m0_scans
from spinloom.sequence.rf_facts import stated_larmor
from spinloom.sequence.saturation import saturation_offsets
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.units import PPM

TEXT = (".txt", ".csv", ".tsv", ".dat")
"""Endings of files that are read as lists of numbers; everything else is a sequence."""


@dataclass(frozen=True, eq=False)
class Acquisition:
    """What is known of a series.

    offset_ppm: of each measurement, NaN without RF, shape `(measurements,)`
    m0_scans: boolean, shape `(measurements,)`
    m0_source: how the M0 scans were recognised
    timeline, larmor: the sequence and the Larmor frequency [Hz] that it states; None for a list of offsets
    """

    offset_ppm: np.ndarray
    m0_scans: np.ndarray
    m0_source: str
    timeline: Timeline | None = None
    larmor: float | None = None

    @property
    def measured(self) -> np.ndarray:
        """Numbers of the measurements that are no M0 scans and have an offset."""
        return np.flatnonzero(~self.m0_scans & np.isfinite(self.offset_ppm))


def read_acquisition(name_or_path: str | Path, larmor: float | None = None) -> Acquisition:
    """The acquisition that a sequence (path or shipped name) or a list of offsets describes.

    larmor: Larmor frequency [Hz] where the sequence does not state it

    Raises `SpectrumError` where offsets cannot be told, and `SequenceError` for a sequence that cannot be read.
    """
    if Path(name_or_path).suffix.lower() in TEXT:
        offsets = _listed(Path(name_or_path))
        return Acquisition(offsets, *find_m0_scans(offsets, {}), larmor=larmor)
    timeline = read_sequence(name_or_path)
    field = larmor or stated_larmor(timeline)
    if field is None:
        raise SpectrumError(
            f"{timeline.source} states neither FREQ nor B0, so its offsets have no ppm; give the Larmor frequency."
        )
    offsets = saturation_offsets(timeline, field) / (field * PPM)
    return Acquisition(offsets, *find_m0_scans(offsets, timeline.definitions), timeline, field)


def _listed(path: Path) -> np.ndarray:
    """The numbers of a text file, parted by spaces, commas or lines; what follows a `#` is a remark."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpectrumError(f"{path} cannot be read as a list of offsets ({error}); name a text file.") from error
    words = re.split(r"[\s,;]+", re.sub(r"#.*", "", text).strip())
    try:
        offsets = np.array([float(word) for word in words if word])
    except ValueError as error:
        raise SpectrumError(f"{path} holds a word that is no number ({error}); list the offsets in ppm.") from error
    if offsets.size == 0:
        raise SpectrumError(f"{path} lists no offset; list one number [ppm] for each image of the series.")
    return offsets
