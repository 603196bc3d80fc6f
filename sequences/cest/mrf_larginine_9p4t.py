"""CEST fingerprint of L-arginine at 9.4 T: thirty points of varying amplitude at 3 ppm, 3 s of saturation each.

Source: Nagar et al. 2023, https://doi.org/10.1038/s41598-023-45548-8; amplitudes as there.

The 18th point has no saturation.  A point repeats after 4 s: 3 s of saturation and 1 s of recovery, which holds the
readout pulse (60 degrees, 2.1 ms) and the signal 20 ms after it.
"""

from __future__ import annotations

import pypulseq as pp
from blocks import define, hertz, write
from fingerprint import fingerprint

B0 = 9.4  # T
TSAT = 3.0  # saturation [s]
TREC = 1.0  # recovery from the end of a saturation to the next [s]
FLIP = 60  # readout [degrees]
OFFSET = 3.0  # ppm
B1 = [
    *(5, 5, 3, 3.75, 2.5, 1.75, 5.5, 6, 3.75, 5.75),
    *(0.25, 3, 6, 4.5, 3.75, 3.5, 3.5, 0, 3.75, 6),
    *(3.75, 4.75, 4.5, 4.25, 3.25, 5.25, 5.25, 0.25, 4.5, 5.25),
]  # uT


def build() -> pp.Sequence:
    """The sequence, block by block."""
    points = [(b1, hertz(OFFSET, B0)) for b1 in B1]
    sequence = fingerprint(points, B0, TSAT, TSAT + TREC, FLIP)
    define(
        sequence,
        __file__,
        B0,
        offsets_ppm=[OFFSET] * len(B1),
        num_meas=len(B1),
        n_pulses=1,
        tp=TSAT,
        td=0,
        Tsat=TSAT,
        DCsat=1,
        Trec=TREC,
        B1pa=B1,
        B1rms=B1,
        flip_angle=FLIP,
        spoiling=0,
    )
    return sequence


if __name__ == "__main__":
    write(build(), __file__)
