"""The family `epi`: single-shot gradient-echo EPI, 2-D Cartesian.

Defaults are those of Huang, Yang et al. 2022 (90 degrees, 220 mm, 128 x 128, echo spacing from 0.375 ms).  Without ramp
sampling these need 200 mT/m and 900 T/m/s, which head-only gradients have; the published simulation names none.  A
whole-body scanner of 80 mT/m and 200 T/m/s plays 128 x 128 from 0.8 ms, and with ramp sampling from 0.54 ms.  Line l is
read at TE + (l - N/2) ESP after the middle of the excitation.
"""

from __future__ import annotations

from typing import Annotated

import pypulseq as pp

from spinloom.sequence.design import (
    RASTER_US,
    Hardware,
    PulseDesign,
    define,
    lobes_together,
    nearest_us,
    refusal,
    shortest_lobe,
)
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.parameter import Meaning
from spinloom.sequences.epi.train import TrainRequest


def epi(
    *,
    te_ms: Annotated[
        float, Meaning("echo time of the middle line, on 0.01 ms [ms]", 0.01, 1000, published=(40, 80))
    ] = 60.0,
    esp_ms: Annotated[float, Meaning("echo spacing, on 0.01 ms [ms]", 0.01, 100, published=(0.375, 0.55))] = 0.46,
    flip_deg: may_be.FlipDeg = 90.0,
    ramp_sampling: Annotated[bool, Meaning("sample on the ramps too, evenly in time")] = False,
    fov_mm: may_be.FovMm = 220.0,
    matrix: may_be.Matrix = 128,
    rf: may_be.RfShape = "hard",
    excitation_ms: may_be.ExcitationMs = None,
    slice_thickness_mm: may_be.SliceThicknessMm = 5.0,
    slice_offset_mm: may_be.SliceOffsetMm = 0.0,
    max_grad_mt_m: may_be.MaxGradMtM = 200.0,
    max_slew_t_m_s: may_be.MaxSlewTMS = 900.0,
    max_b1_ut: may_be.MaxB1Ut = 25.0,
) -> pp.Sequence:
    """Gradient-echo EPI: all lines after one excitation.

    Raises `SequenceError` where the hardware cannot play the echo spacing, and where the echo time is too short.
    """
    hardware = Hardware(max_grad_mt_m, max_slew_t_m_s, max_b1_ut)
    design = PulseDesign(rf, hardware, slice_thickness_mm, slice_offset_mm)
    excitation_us, te_us = design.duration_us(excitation_ms), nearest_us(te_ms)
    train = TrainRequest(fov_mm * 1e-3, matrix, ramp_sampling, hardware).train(nearest_us(esp_ms))
    until_us = train.until_us(matrix // 2)
    half_raster = until_us % RASTER_US > 0
    excitation = design.pulse("excitation_ms", "excitation", flip_deg, excitation_us, half_raster=half_raster)
    begin = {**train.begin, "z": -excitation.half_area}
    prephase = shortest_lobe(max(map(abs, begin.values())), hardware)
    slack = te_us - excitation.after_us - prephase.duration_us - until_us
    if slack < 0:
        why = (
            f"{matrix // 2} lines of {train.spacing_us / 1e3:g} ms, the pulse and the way to the first line take longer"
        )
        raise refusal("te_ms", te_us / 1e3, why, (te_us - slack) / 1e3)
    sequence = pp.Sequence(hardware.options())
    sequence.add_block(*excitation.events())
    sequence.add_block(*lobes_together(prephase, begin, prephase.duration_us + slack))
    train.add(sequence)
    define(
        sequence,
        Name="epi",
        FOV=[fov_mm * 1e-3, fov_mm * 1e-3, slice_thickness_mm * 1e-3],
        Matrix=[matrix, matrix],
        TE=te_us * 1e-6,
        ESP=train.spacing_us * 1e-6,
        te_ms=te_us / 1e3,
        esp_ms=train.spacing_us / 1e3,
        excitation_ms=excitation_us / 1e3,
    )
    return sequence
