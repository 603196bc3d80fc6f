"""The family `moled`: multiple overlapping-echo detachment, four spin echoes of different TE in one echo-planar train.

Four excitations, each followed by a shift gradient, one refocusing pulse between crushers, then the train.  With
s_n = (x_n, y_n) the sum of the shift gradients from excitation n on [cycles/FOV], echo n has its centre at s_n of the
train, in line l_n = N/2 + y_n, and its excitation stands as long before the refocusing pulse as line l_n behind it:

    TE_n = 2 (t0 + l_n ESP),  t0 from the refocusing pulse's middle to the middle of line 0.

So every echo is a spin echo too.  `shift_scale` scales all moments and leaves the times.  Defaults are those of Huang,
Yang et al. 2022: echo centres (18, 48), (-6, 16), (6, -16), (-18, -48) in the order of the excitations, and TE of 110,
81, 51 and 22 ms.  The slice gradient of a sinc pulse is balanced on both sides, because earlier magnetisation meets it
whole.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated

import pypulseq as pp

from spinloom.errors import SequenceError
from spinloom.sequence.design import (
    RASTER_US,
    Hardware,
    PulseDesign,
    define,
    lobes_together,
    nearest_us,
    raster_up,
    refusal,
    shortest_lobe,
)
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.parameter import Meaning
from spinloom.sequences.epi.train import EchoPlanarTrain, TrainRequest
from spinloom.sequences.moled.preparation import Preparation

FourNumbers = tuple[float, float, float, float]


def moled(
    *,
    esp_ms: Annotated[float, Meaning("echo spacing, on 0.01 ms [ms]", 0.01, 100, published=(0.375, 0.54))] = 0.46,
    flip_deg: Annotated[float, Meaning("flip angle of each excitation [deg]", 0, 180)] = 30.0,
    refocusing_deg: may_be.RefocusingDeg = 180.0,
    shift_x: Annotated[FourNumbers, Meaning("shift gradients along x [cycles a field of view]")] = (24, -12, 24, -18),
    shift_y: Annotated[FourNumbers, Meaning("shift gradients along y [cycles a field of view]")] = (32, 32, 32, -48),
    shift_scale: Annotated[float, Meaning("factor of all shift gradients", -10, 10, published=(0.95, 1.05))] = 1.0,
    t0_ms: Annotated[float, Meaning("from the refocusing pulse to the first line, on 0.01 ms [ms]", 0.01, 1000)] = 3.6,
    crusher_cycles: may_be.CrusherCycles = 1.0,
    crusher_axes: may_be.CrusherAxes = "xy",
    ramp_sampling: Annotated[bool, Meaning("sample on the ramps too, evenly in time")] = False,
    fov_mm: may_be.FovMm = 220.0,
    matrix: may_be.Matrix = 128,
    rf: may_be.RfShape = "hard",
    excitation_ms: may_be.ExcitationMs = None,
    refocusing_ms: may_be.RefocusingMs = None,
    slice_thickness_mm: may_be.SliceThicknessMm = 5.0,
    slice_offset_mm: may_be.SliceOffsetMm = 0.0,
    max_grad_mt_m: may_be.MaxGradMtM = 200.0,
    max_slew_t_m_s: may_be.MaxSlewTMS = 900.0,
    max_b1_ut: may_be.MaxB1Ut = 25.0,
) -> pp.Sequence:
    """MOLED: four overlapping spin echoes of different TE in one echo-planar train.

    Raises `SequenceError` where the hardware cannot play the echo spacing, and where there is no time for all of it.
    """
    hardware = Hardware(max_grad_mt_m, max_slew_t_m_s, max_b1_ut)
    design = PulseDesign(rf, hardware, slice_thickness_mm, slice_offset_mm)
    excitation_us, refocusing_us = design.duration_us(excitation_ms), design.duration_us(refocusing_ms)
    fov, thickness, t0_us = fov_mm * 1e-3, slice_thickness_mm * 1e-3, nearest_us(t0_ms)
    train = TrainRequest(fov, matrix, ramp_sampling, hardware).train(nearest_us(esp_ms))
    half_raster = train.spacing_us // 2 % RASTER_US > 0
    lines = [matrix // 2 + sum(shift_y[number:]) for number in range(4)]
    preparation = Preparation(
        excitation=design.pulse("excitation_ms", "excitation", flip_deg, excitation_us, 0.0, half_raster),
        refocusing=design.pulse("refocusing_ms", "refocusing", refocusing_deg, refocusing_us, math.pi / 2, half_raster),
        shifts=tuple((shift_scale * x / fov, shift_scale * y / fov) for x, y in zip(shift_x, shift_y, strict=True)),
        crusher=may_be.crusher_areas(crusher_cycles, crusher_axes, fov, matrix, thickness),
        lead_us=tuple(t0_us + nearest_us(line * train.spacing_us / 1e3) for line in lines),
        hardware=hardware,
    )
    _check_order(lines, train, preparation)
    sequence = pp.Sequence(hardware.options())
    preparation.add(sequence)
    _add_train(sequence, train, preparation, t0_us)
    define(
        sequence,
        Name="moled",
        FOV=[fov, fov, thickness],
        Matrix=[matrix, matrix],
        TE=[2e-6 * lead for lead in preparation.lead_us],
        ESP=train.spacing_us * 1e-6,
        esp_ms=train.spacing_us / 1e3,
        t0_ms=t0_us / 1e3,
        excitation_ms=excitation_us / 1e3,
        refocusing_ms=refocusing_us / 1e3,
    )
    return sequence


def _add_train(sequence: pp.Sequence, train: EchoPlanarTrain, preparation: Preparation, t0_us: int) -> None:
    """The crusher, the way to the first line, and the lines; the middle of line 0 comes `t0_us` after refocusing."""
    hardware, crush = preparation.hardware, preparation.crush
    begin = shortest_lobe(max(map(abs, train.begin.values())), hardware)
    taken = preparation.refocusing.after_us + crush.duration_us + begin.duration_us + train.until_us(0)
    if t0_us < taken:
        why = "the crusher, the way to the first line and half an echo spacing take longer"
        raise refusal("t0_ms", t0_us / 1e3, why, raster_up(taken) / 1e3)
    sequence.add_block(*lobes_together(crush, preparation.crusher, crush.duration_us + t0_us - taken))
    sequence.add_block(*lobes_together(begin, train.begin, begin.duration_us))
    train.add(sequence)


def _check_order(lines: list[float], train: EchoPlanarTrain, preparation: Preparation) -> None:
    """Refuse where an excitation would not come after the one before, or not before the refocusing pulse."""
    steps = [here - after for here, after in pairwise(lines)]
    if min(steps) <= 0 or not 0 <= lines[-1] <= lines[0] < train.lines:
        raise SequenceError(
            f"With these shift_y the echoes are in lines {', '.join(f'{line:g}' for line in lines)} of {train.lines}; "
            "sums from each shift to the last must fall, and stay within half the lines."
        )
    spacing = train.spacing_us / 1e3
    if min(steps) * train.spacing_us < preparation.between_us:
        why = f"a pulse and its shift gradient take longer than {min(steps):g} lines"
        raise refusal("esp_ms", spacing, why, raster_up(preparation.between_us / min(steps)) / 1e3)
    missing = preparation.last_us - preparation.lead_us[-1]
    if missing > 0:
        t0_us = preparation.lead_us[-1] - lines[-1] * train.spacing_us
        why = "the last shift gradient, the crusher and the pulses take longer"
        raise refusal("t0_ms", t0_us / 1e3, why, raster_up(t0_us + missing) / 1e3)
