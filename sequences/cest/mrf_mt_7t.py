"""Semisolid-MT fingerprint at 7 T: thirty points of varying amplitude and offset, 2.5 s of saturation each.

Source: Perlman et al. 2022, https://doi.org/10.1038/s41551-021-00809-7, and Nagar et al. 2023,
https://doi.org/10.1038/s41598-023-45548-8; amplitudes and offsets as there.  The field is that of the published mouse
scenario; the flip angle of 60 degrees is chosen here, that of the L-arginine schedule.

A point repeats after 3.5 s: 2.5 s of saturation and 1 s of recovery, which holds the readout pulse (2.1 ms) and the
signal 20 ms after it.  Offsets of 6 to 14 ppm reach the semisolid pool and leave exchanging protons alone.
"""

from __future__ import annotations

import pypulseq as pp
from blocks import define, hertz, write
from fingerprint import fingerprint

B0 = 7.0  # T
TR = 3.5  # repetition [s]
TSAT = 2.5  # saturation [s]
FLIP = 60  # readout [degrees]
OFFSETS = [
    *(8, 6, 6, 10, 10, 10, 8, 6, 8, 14),
    *(14, 10, 6, 10, 8, 6, 8, 10, 14, 14),
    *(6, 8, 14, 6, 14, 14, 14, 8, 10, 8),
]  # ppm
B1 = [
    *(2, 2, 1.7, 1.5, 1.2, 1.2, 3, 0.5, 3, 1),
    *(2.2, 3.2, 1.5, 0.7, 1.5, 2.2, 2.5, 1.2, 3, 0.2),
    *(1.5, 2.5, 0.7, 4, 3.2, 3.5, 1.5, 2.7, 0.7, 0.5),
]  # uT


def build() -> pp.Sequence:
    """The sequence, block by block."""
    points = [(b1, hertz(offset, B0)) for b1, offset in zip(B1, OFFSETS, strict=True)]
    sequence = fingerprint(points, B0, TSAT, TR, FLIP)
    define(
        sequence,
        __file__,
        B0,
        offsets_ppm=OFFSETS,
        num_meas=len(B1),
        n_pulses=1,
        tp=TSAT,
        td=0,
        Tsat=TSAT,
        DCsat=1,
        Trec=TR - TSAT,
        B1pa=B1,
        B1rms=B1,
        flip_angle=FLIP,
        spoiling=0,
    )
    return sequence


if __name__ == "__main__":
    write(build(), __file__)
