"""Parts from which families are built: the hardware, gradient lobes within its limits, pulses, definitions.

Times are whole microseconds here, so that rasters are exact; a name that holds one ends in `_us`.
"""

from __future__ import annotations

from spinloom.sequence.design.hardware import RASTER_US, Hardware, nearest_us, raster_up
from spinloom.sequence.design.labels import define, labels
from spinloom.sequence.design.lobes import Lobe, lobes_together, shortest_lobe
from spinloom.sequence.design.pulses import Pulse, PulseDesign
from spinloom.sequence.design.refusal import refusal

__all__ = [
    "RASTER_US",
    "Hardware",
    "Lobe",
    "Pulse",
    "PulseDesign",
    "define",
    "labels",
    "lobes_together",
    "nearest_us",
    "raster_up",
    "refusal",
    "shortest_lobe",
]
