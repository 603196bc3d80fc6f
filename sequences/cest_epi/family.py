"""The family `cest_epi`: a saturation train, a spoiler and a single-shot EPI at each frequency offset.

The saturation is that of APT-weighted imaging after the consensus on brain tumours (Zhou et al. 2022,
https://doi.org/10.1002/mrm.29241): 36 raised-cosine-sinc pulses of 50 ms, 5 ms apart, of which the phase continues
that of the pulses before over their durations.  Offsets run from -`largest_ppm` to `largest_ppm`; the first image, at
-300 ppm, is the M0 scan.  The label REP counts the images.  Hardware is that of a whole-body scanner.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated

import pypulseq as pp

from spinloom.sequence.design import Hardware, PulseDesign, define, labels, lobes_together, nearest_us, shortest_lobe
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.design.hardware import RASTER_US
from spinloom.sequence.design.saturation import CELL_US, SaturationTrain
from spinloom.sequence.parameter import Meaning
from spinloom.sequences.epi.train import EchoPlanarTrain, TrainRequest
from spinloom.units import PPM, PROTON_GAMMA_BAR

M0_OFFSET_PPM = -300.0
SPOILER_CYCLES = 8.0
"""Moment of the spoiler after saturation and after each readout: cycles a voxel along x and y, a slice along z."""


def cest_epi(
    *,
    largest_ppm: Annotated[float, Meaning("largest saturation offset, on either side [ppm]", 0, 100)] = 4.0,
    step_ppm: Annotated[float, Meaning("distance of saturation offsets [ppm]", 0.001, 100)] = 0.5,
    b1_ut: Annotated[float, Meaning("mean amplitude of a saturation pulse [uT]", 0, 100)] = 1.78,
    pulses: Annotated[int, Meaning("saturation pulses before each readout", 1, 1000)] = 36,
    pulse_ms: Annotated[float, Meaning("duration of a saturation pulse, on 0.1 ms [ms]", 0.1, 1000)] = 50.0,
    pause_ms: Annotated[float, Meaning("pause between saturation pulses, on 0.01 ms [ms]", 0.2, 1000)] = 5.0,
    recovery_ms: Annotated[float, Meaning("recovery before each saturation, on 0.01 ms [ms]", 0.2, 60_000)] = 3500.0,
    field_t: Annotated[float, Meaning("field at which offsets in ppm are meant [T]", 0.1, 30)] = 3.0,
    esp_ms: Annotated[float, Meaning("echo spacing of the readout, on 0.01 ms [ms]", 0.01, 100)] = 0.7,
    flip_deg: may_be.FlipDeg = 90.0,
    ramp_sampling: Annotated[bool, Meaning("sample on the ramps too, evenly in time")] = True,
    fov_mm: may_be.FovMm = 220.0,
    matrix: may_be.Matrix = 64,
    rf: may_be.RfShape = "hard",
    slice_thickness_mm: may_be.SliceThicknessMm = 5.0,
    max_grad_mt_m: may_be.MaxGradMtM = 40.0,
    max_slew_t_m_s: may_be.MaxSlewTMS = 150.0,
    max_b1_ut: may_be.MaxB1Ut = 25.0,
) -> pp.Sequence:
    """CEST-weighted EPI: one image an offset.

    Raises `SequenceError` where the hardware cannot play the echo spacing.
    """
    hardware = Hardware(max_grad_mt_m, max_slew_t_m_s, max_b1_ut)
    train = TrainRequest(fov_mm * 1e-3, matrix, ramp_sampling, hardware).train(nearest_us(esp_ms))
    design = PulseDesign(rf, hardware, slice_thickness_mm)
    half_raster = train.until_us(matrix // 2) % RASTER_US > 0
    excitation = design.pulse("flip_deg", "excitation", flip_deg, design.duration_us(None), half_raster=half_raster)
    begin = {**train.begin, "z": -excitation.half_area}
    prephase = shortest_lobe(max(map(abs, begin.values())), hardware)
    spoiler = _spoiler(fov_mm * 1e-3 / matrix, slice_thickness_mm * 1e-3, hardware)
    saturation = SaturationTrain(b1_ut, pulses, nearest_us(pulse_ms, CELL_US), nearest_us(pause_ms), hardware)
    steps = round(largest_ppm / step_ppm)
    offsets = [M0_OFFSET_PPM, *(step * step_ppm for step in range(-steps, steps + 1))]
    sequence = pp.Sequence(hardware.options())
    for image, offset in enumerate(offsets):
        sequence.add_block(pp.make_delay(nearest_us(recovery_ms) * 1e-6))
        saturation.add(sequence, offset * PPM * PROTON_GAMMA_BAR * field_t)
        sequence.add_block(*spoiler)
        _read(sequence, image, excitation.events(), lobes_together(prephase, begin, prephase.duration_us), train)
        sequence.add_block(*spoiler)
    define(
        sequence,
        Name="cest_epi",
        FOV=[fov_mm * 1e-3, fov_mm * 1e-3, slice_thickness_mm * 1e-3],
        Matrix=[matrix, matrix],
        ESP=train.spacing_us * 1e-6,
        B0=field_t,
        offsets_ppm=offsets,
        M0_offset=M0_OFFSET_PPM,
        esp_ms=train.spacing_us / 1e3,
    )
    return sequence


def _spoiler(voxel: float, thickness: float, hardware: Hardware) -> list[SimpleNamespace]:
    areas = {"x": SPOILER_CYCLES / voxel, "y": SPOILER_CYCLES / voxel, "z": SPOILER_CYCLES / thickness}
    lobe = shortest_lobe(max(areas.values()), hardware)
    return lobes_together(lobe, areas, lobe.duration_us)


def _read(
    sequence: pp.Sequence,
    image: int,
    excitation: list[SimpleNamespace],
    prephase: list[SimpleNamespace],
    train: EchoPlanarTrain,
) -> None:
    """One image; its number is set where its excitation plays."""
    sequence.add_block(*excitation, *labels(REP=image))
    sequence.add_block(*prephase)
    train.add(sequence)
