"""Frequency offsets of measurements in ppm of the tissue's field."""

from __future__ import annotations

import numpy as np

from spinloom.sequence.saturation import saturation_offsets
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue
from spinloom.units import PPM


def offsets_ppm(timeline: Timeline, tissue: Tissue) -> tuple[np.ndarray, tuple[str, ...]]:
    """Offset of the saturation before each measurement [ppm], shape `(measurements,)`, NaN where no RF was played.

    Offsets are what the RF plays, in ppm of the tissue's Larmor frequency.  The file's definition `offsets_ppm`
    is taken for their exact values where it says the same to the digits that a file carries; where it
    contradicts them, a sentence says so and the RF is believed.
    """
    larmor = float(tissue.larmor.detach().mean())
    played = saturation_offsets(timeline, larmor) / (larmor * PPM)
    stated = timeline.definitions.get("offsets_ppm")
    if not isinstance(stated, tuple) or len(stated) != played.size:
        return played, ()
    listed, silent = np.array(stated), np.isnan(played)
    tolerance = 1e-3 + 1e-5 * np.abs(listed)
    if np.all((np.abs(played - listed) <= tolerance) | silent):
        return np.where(silent, np.nan, listed), ()
    return played, (
        "The file lists its offsets for another field than the tissue's: on the tissue's "
        f"{larmor / 1e6:.4f} MHz its RF plays {np.nanmin(played):.4g} to {np.nanmax(played):.4g} ppm, "
        f"listed as {listed.min():.4g} to {listed.max():.4g} ppm.",
    )
