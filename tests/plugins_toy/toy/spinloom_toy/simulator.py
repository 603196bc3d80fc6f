"""Saturation recovery, Mz(t) = 1 - exp(-t / T1) from the begin of the sequence: RF is not played."""

from __future__ import annotations

import numpy as np
import torch

from spinloom import Numerics, Requirements, Signal, Timeline, Tissue


class ToySimulator:
    """Mz of water that was saturated at time zero, at every ADC sample."""

    requirements = Requirements(timeline=frozenset({"adc"}))

    def __init__(self, numerics: Numerics) -> None:
        self._numerics = numerics

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """Play `timeline` on `subject`."""
        readouts = [block.start + block.adc.sample_times() for block in timeline.blocks() if block.adc]
        time = np.concatenate(readouts)
        tissue = subject.to(self._numerics.dtype, self._numerics.device)
        mz = 1 - torch.exp(-torch.as_tensor(time).to(tissue.water.t1) / tissue.water.t1[..., None])
        return Signal(
            mz=mz,
            mxy=torch.complex(torch.zeros_like(mz), torch.zeros_like(mz)),
            time=time,
            measurement=np.repeat(np.arange(len(readouts)), [part.size for part in readouts]),
            offset_ppm=np.full(len(readouts), np.nan),
            notes=("RF pulses were not played.",),
        )
