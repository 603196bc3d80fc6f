"""WASABI at 3 T: one block pulse of 5 ms at 3.7 uT, at 81 offsets from -2 to 2 ppm, to map B0 and B1 together.

Source: Schuenke et al. 2017, https://doi.org/10.1002/mrm.26133; parameters of `WASABI_3T_001` of the pulseq-cest
library.

The first measurement, at -300 ppm, normalises and comes after 12 s of recovery, the others after 3 s.  The pulse
nutates water 0.79 times on resonance; around it the nutation frequency shows as oscillation over the offset.
"""

from __future__ import annotations

import pypulseq as pp
from blocks import before_pulse, define, hertz, marker, scanner, spoiler, turns, write

B0 = 3.0  # T
B1 = 3.7  # uT
TP = 0.005  # pulse duration [s]
TREC = 3.0  # recovery from the readout to the pulse [s]
TREC_M0 = 12.0  # recovery before the first measurement [s]
M0_OFFSET = -300.0  # ppm
OFFSETS = [round(-2 + 0.05 * step, 2) for step in range(81)]  # ppm


def build() -> pp.Sequence:
    """The sequence, block by block."""
    system = scanner(B0)
    sequence = pp.Sequence(system)
    for offset in [M0_OFFSET, *OFFSETS]:
        pulse = pp.make_block_pulse(
            flip_angle=turns(B1, TP),
            duration=TP,
            delay=system.rf_dead_time,
            freq_offset=hertz(offset, B0),
            system=system,
            use="preparation",
        )
        sequence.add_block(before_pulse(TREC_M0 if offset == M0_OFFSET else TREC))
        sequence.add_block(pulse)
        sequence.add_block(*spoiler(system))
        sequence.add_block(marker(system))
    define(
        sequence,
        __file__,
        B0,
        offsets_ppm=[M0_OFFSET, *OFFSETS],
        M0_offset=M0_OFFSET,
        num_meas=1 + len(OFFSETS),
        n_pulses=1,
        tp=TP,
        td=0,
        Tsat=TP,
        DCsat=1,
        Trec=TREC,
        Trec_M0=TREC_M0,
        B1pa=B1,
        B1rms=B1,
        spoiling=1,
    )
    return sequence


if __name__ == "__main__":
    write(build(), __file__)
