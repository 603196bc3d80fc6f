"""APT-weighted saturation at 3 T by a train: 36 raised-cosine-sinc pulses of 50 ms, 5 ms apart, at 34 offsets.

Source: the APTw protocol `APTw_3T_001` of the pulseq-cest library (Herz et al. 2021,
https://doi.org/10.1002/mrm.28825), after the consensus on brain tumours (Zhou et al. 2022,
https://doi.org/10.1002/mrm.29241).

A pulse is A [(1 - a) + a cos(2 pi t/T)] sinc(W t/T), a = 0.15, time-bandwidth product W = 2; its mean is 1.78 uT.
The root mean square over pulses and pauses is 1.9962 uT, over the pulses alone 2.0936 uT.  The shape is sampled at
the centres of 500 cells of 100 us, and a sample holds for its cell: the sidebands of the steps lie at 10 kHz, far
outside the spectrum of +-4 ppm (511 Hz).

Pulseq starts each pulse at its own phase.  As in published trains, the phase of pulse n continues that of the pulses
before it over their durations alone, 2 pi f n T, so that the RF phase stands still during the pauses.  Pauses are
5 ms from pulse to pulse; the public file lets 5.13 ms pass, since it adds dead time and ring-down to its delay.
"""

from __future__ import annotations

import numpy as np
import pypulseq as pp
from blocks import before_pulse, between_pulses, define, hertz, marker, scanner, spoiler, turns, write

B0 = 3.0  # T
B1_MEAN = 1.78  # uT, mean over a pulse
PULSES = 36
TP = 0.05  # pulse duration [s]
TD = 0.005  # pause from the end of a pulse to the begin of the next [s]
CELLS = 500  # samples of a pulse
TIME_BANDWIDTH = 2
APODISATION = 0.15
TREC = 3.5  # recovery from the readout to the first pulse [s]
M0_OFFSET = -300.0  # ppm
OFFSETS = [-4 + 0.25 * step for step in range(33)]  # ppm


def build() -> pp.Sequence:
    """The sequence, block by block."""
    system = scanner(B0)
    time = (np.arange(CELLS) + 0.5) / CELLS - 0.5  # in pulse durations, from the pulse's middle
    shape = (1 - APODISATION + APODISATION * np.cos(2 * np.pi * time)) * np.sinc(TIME_BANDWIDTH * time)
    pulse = pp.make_arbitrary_rf(
        shape, turns(B1_MEAN, TP), dwell=TP / CELLS, delay=system.rf_dead_time, system=system, use="saturation"
    )
    sequence = pp.Sequence(system)
    for offset in [M0_OFFSET, *OFFSETS]:
        pulse.freq_offset = hertz(offset, B0)
        sequence.add_block(before_pulse(TREC))
        for number in range(PULSES):
            if number > 0:
                sequence.add_block(between_pulses(TD))
            pulse.phase_offset = 2 * np.pi * (pulse.freq_offset * TP * number % 1)
            sequence.add_block(pulse)
        sequence.add_block(*spoiler(system))
        sequence.add_block(marker(system))
    duty_cycle = TP / (TP + TD)
    define(
        sequence,
        __file__,
        B0,
        offsets_ppm=[M0_OFFSET, *OFFSETS],
        M0_offset=M0_OFFSET,
        num_meas=1 + len(OFFSETS),
        n_pulses=PULSES,
        tp=TP,
        td=TD,
        Tsat=PULSES * (TP + TD) - TD,
        DCsat=duty_cycle,
        Trec=TREC,
        Trec_M0=TREC,
        B1pa=B1_MEAN,
        B1rms=B1_MEAN * float(np.sqrt(duty_cycle * np.mean(shape**2)) / np.mean(shape)),
        spoiling=1,
    )
    return sequence


if __name__ == "__main__":
    write(build(), __file__)
