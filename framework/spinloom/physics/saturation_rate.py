"""W, the rate at which the saturation of each measurement acts on semisolid pools.

W = w1^2 L(d),   w1^2 the mean square of nutation while RF is on, L the absorption lineshape
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.physics.lineshapes import absorption
from spinloom.sequence.saturation import saturation_offsets
from spinloom.sequence.saturation_power import saturation_rms
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue
from spinloom.units import PPM


def saturation_rates(timeline: Timeline, tissue: Tissue) -> Tensor:
    """W [1/s] of each semisolid pool in each measurement, shape `(pools, *batch, measurements)`; 0 without RF."""
    larmor = tissue.larmor[..., None]
    offset = np.nan_to_num(saturation_offsets(timeline, float(tissue.larmor.detach().mean())))
    frequency = torch.from_numpy(offset).to(larmor)
    nutation = 2 * torch.pi * tissue.rel_b1[..., None] * torch.from_numpy(saturation_rms(timeline)).to(larmor)
    ppm = 2 * torch.pi * PPM * larmor
    rates = [
        nutation**2
        * absorption(
            pool.lineshape,
            pool.t2[..., None],
            2 * torch.pi * frequency - (pool.shift_ppm + tissue.b0_shift_ppm)[..., None] * ppm,
            ppm,
        )
        for pool in tissue.semisolid
    ]
    return torch.stack(rates)
