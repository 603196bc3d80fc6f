"""The one home of physical constants and of the conversions at the door.

Inside Spinloom everything is SI (s, Hz, T, rad); ppm, uT, ms and degrees exist in names that say so.
"""

from __future__ import annotations

import math

PROTON_GAMMA_BAR = 42.5764e6
"""Gyromagnetic ratio of the proton over 2 pi [Hz/T]."""

PROTON_GAMMA = 2 * math.pi * PROTON_GAMMA_BAR
"""Gyromagnetic ratio of the proton [rad/s/T]."""

PPM = 1e-6
MICROTESLA = 1e-6
MILLISECOND = 1e-3
