"""Semisolid-MT offset and power series at 3 T: 16 offsets from 1 to 100 kHz at each of three amplitudes.

Source: the design of quantitative MT by continuous waves, Henkelman et al. 1993,
https://doi.org/10.1002/mrm.1910290607, and Stanisz et al. 2005, https://doi.org/10.1002/mrm.20605: offsets in
logarithmic steps, several amplitudes.  The amplitudes, and 2 s of saturation for their 7 s, are chosen here.

The first measurement normalises: the weakest pulse at -200 kHz, where no semisolid line reaches.  Before each pulse
magnetisation recovers for 4 s; after it a spoiler leaves longitudinal magnetisation alone, and a marker stands for the
readout.
"""

from __future__ import annotations

import pypulseq as pp
from blocks import before_pulse, define, hertz, marker, scanner, spoiler, turns, write

B0 = 3.0  # T
B1 = [1.0, 2.0, 4.0]  # uT
TP = 2.0  # pulse duration [s]
TREC = 4.0  # recovery from the readout to the pulse [s]
M0_FREQUENCY = -200e3  # Hz
FREQUENCIES = [round(10 ** (3 + 2 * step / 15)) for step in range(16)]  # Hz


def build() -> pp.Sequence:
    """The sequence, block by block."""
    system = scanner(B0)
    sequence = pp.Sequence(system)
    points = [(B1[0], M0_FREQUENCY), *((b1, frequency) for b1 in B1 for frequency in FREQUENCIES)]
    for b1, frequency in points:
        pulse = pp.make_block_pulse(
            flip_angle=turns(b1, TP),
            duration=TP,
            delay=system.rf_dead_time,
            freq_offset=frequency,
            system=system,
            use="saturation",
        )
        sequence.add_block(before_pulse(TREC))
        sequence.add_block(pulse)
        sequence.add_block(*spoiler(system))
        sequence.add_block(marker(system))
    offsets = [frequency / hertz(1, B0) for _, frequency in points]
    define(
        sequence,
        __file__,
        B0,
        offsets_ppm=offsets,
        M0_offset=offsets[0],
        num_meas=len(points),
        n_pulses=1,
        tp=TP,
        td=0,
        Tsat=TP,
        DCsat=1,
        Trec=TREC,
        Trec_M0=TREC,
        B1pa=[b1 for b1, _ in points],
        B1rms=[b1 for b1, _ in points],
        spoiling=1,
    )
    return sequence


if __name__ == "__main__":
    write(build(), __file__)
