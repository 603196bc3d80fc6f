"""APT-weighted saturation at 3 T by one block pulse: 2 s at 2 uT before each of 34 offsets.

Source: the APTw protocol `APTw_3T_000` of the pulseq-cest library, after the consensus on brain tumours
(Zhou et al. 2022, https://doi.org/10.1002/mrm.29241).

Offsets are -300 ppm, which normalises, then -4 to 4 ppm in steps of 0.25.  Before each pulse magnetisation recovers
for 3.5 s; after it a spoiler leaves longitudinal magnetisation alone, and a marker stands for the readout.
"""

from __future__ import annotations

import pypulseq as pp
from blocks import before_pulse, define, hertz, marker, scanner, spoiler, turns, write

B0 = 3.0  # T
B1 = 2.0  # uT
TP = 2.0  # pulse duration [s]
TREC = 3.5  # recovery from the readout to the pulse [s]
M0_OFFSET = -300.0  # ppm
OFFSETS = [-4 + 0.25 * step for step in range(33)]  # ppm


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
            use="saturation",
        )
        sequence.add_block(before_pulse(TREC))
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
        Trec_M0=TREC,
        B1pa=B1,
        B1rms=B1,
        spoiling=1,
    )
    return sequence


if __name__ == "__main__":
    write(build(), __file__)
