"""The family `fse`: multi-shot fast spin echo of one slice or of everything, 2-D Cartesian.

Defaults are those of Huang, Yang et al. 2022 (8 shots of 16 echoes, 180 degrees, 220 mm, 128 x 128), on a whole-body
scanner of 80 mT/m and 200 T/m/s.  Excitation is about x and refocusing about y, as Carr, Purcell, Meiboom and Gill
want it, so magnetisation of a positive flip angle is along +y.
"""

from __future__ import annotations

import math
from typing import Annotated

import pypulseq as pp

from spinloom.errors import SequenceError
from spinloom.sequence.design import Hardware, PulseDesign, define, nearest_us, raster_up, refusal
from spinloom.sequence.design import parameters as may_be
from spinloom.sequence.parameter import Meaning
from spinloom.sequences.fse.order import LineOrder, line_order
from spinloom.sequences.fse.train import ESP_RASTER_US, EchoTrain, Readout


def fse(
    *,
    shots: Annotated[int, Meaning("excitations of an image", 1, 1024)] = 8,
    etl: Annotated[int, Meaning("echoes of a shot; shots times echoes are the lines", 1, 1024)] = 16,
    esp_ms: Annotated[float, Meaning("echo spacing, on 0.02 ms [ms]", 0.02, 1000, published=(8, 15))] = 10.0,
    flip_deg: Annotated[float, Meaning("flip angle of the excitation [deg]", 0, 180, published=(20, 70))] = 90.0,
    refocusing_deg: may_be.RefocusingDeg = 180.0,
    order: Annotated[LineOrder, Meaning("lines of successive echoes: upwards, or from the middle outwards")] = "linear",
    crusher_cycles: may_be.CrusherCycles = 3.0,
    crusher_axes: may_be.CrusherAxes = "z",
    spoiler_cycles: Annotated[float, Meaning("dephasing after a shot, cycles a slice along z", 0, 64)] = 8.0,
    tr_ms: Annotated[float, Meaning("from shot to shot, on 0.01 ms [ms]", 0.01, 100_000)] = 3000.0,
    dummy_shots: Annotated[int, Meaning("shots before the first that is sampled", 0, 1000)] = 0,
    dwell_us: Annotated[int, Meaning("from sample to sample [us]", 2, 10_000, multiple=2)] = 20,
    fov_mm: may_be.FovMm = 220.0,
    matrix: may_be.Matrix = 128,
    rf: may_be.RfShape = "hard",
    excitation_ms: may_be.ExcitationMs = None,
    refocusing_ms: may_be.RefocusingMs = None,
    slice_thickness_mm: may_be.SliceThicknessMm = 5.0,
    slice_offset_mm: may_be.SliceOffsetMm = 0.0,
    max_grad_mt_m: may_be.MaxGradMtM = 80.0,
    max_slew_t_m_s: may_be.MaxSlewTMS = 200.0,
    max_b1_ut: may_be.MaxB1Ut = 25.0,
) -> pp.Sequence:
    """Fast spin echo: shots of refocused echoes, a line each.

    Raises `SequenceError` where shots and echoes do not make the lines, and where the hardware cannot play it.
    """
    if shots * etl != matrix:
        raise SequenceError(
            f"shots={shots} of etl={etl} echoes are {shots * etl} lines, but matrix={matrix}; "
            f"with these shots or these echoes {_ways_out(shots, etl, matrix)}."
        )
    hardware = Hardware(max_grad_mt_m, max_slew_t_m_s, max_b1_ut)
    design = PulseDesign(rf, hardware, slice_thickness_mm, slice_offset_mm)
    excitation_us, refocusing_us = design.duration_us(excitation_ms), design.duration_us(refocusing_ms)
    fov, thickness = fov_mm * 1e-3, slice_thickness_mm * 1e-3
    train = EchoTrain(
        excitation=design.pulse("excitation_ms", "excitation", flip_deg, excitation_us),
        refocusing=design.pulse("refocusing_ms", "refocusing", refocusing_deg, refocusing_us, math.pi / 2),
        readout=Readout.planned(fov, matrix, dwell_us, hardware),
        crusher=may_be.crusher_areas(crusher_cycles, crusher_axes, fov, matrix, thickness),
        spoiler=spoiler_cycles / thickness,
        fov=fov,
        lines=matrix,
        hardware=hardware,
    )
    esp_us, tr_us = nearest_us(esp_ms, ESP_RASTER_US), nearest_us(tr_ms)
    _check_time(train, esp_us, tr_us, etl)
    sequence = pp.Sequence(hardware.options())
    rest = pp.make_delay((tr_us - train.length_us(esp_us, etl)) * 1e-6)
    order_of_lines = line_order(order, shots, etl)
    for shot in range(-dummy_shots, shots):
        train.add(sequence, order_of_lines[max(shot, 0)], esp_us, shot if shot >= 0 else None)
        if rest.delay > 0:
            sequence.add_block(rest)
    echo = int((order_of_lines == matrix // 2).any(axis=0).argmax())
    define(
        sequence,
        Name="fse",
        FOV=[fov, fov, thickness],
        Matrix=[matrix, matrix],
        TE=(echo + 1) * esp_us * 1e-6,
        ESP=esp_us * 1e-6,
        TR=tr_us * 1e-6,
        esp_ms=esp_us / 1e3,
        tr_ms=tr_us / 1e3,
        excitation_ms=excitation_us / 1e3,
        refocusing_ms=refocusing_us / 1e3,
    )
    return sequence


def _ways_out(shots: int, etl: int, matrix: int) -> str:
    """Which echoes, or which shots, would make `matrix` lines."""
    ways = [f"etl={matrix // shots}"] if matrix % shots == 0 else []
    ways += [f"shots={matrix // etl}"] if matrix % etl == 0 else []
    return f"{' or '.join(ways)} makes them" if ways else "nothing makes them: choose factors of the matrix"


def _check_time(train: EchoTrain, esp_us: int, tr_us: int, etl: int) -> None:
    hardware = train.hardware
    if esp_us < train.shortest_us:
        why = (
            f"pulses, crushers and a readout of {train.readout.gradient.duration_us / 1e3:g} ms take longer at "
            f"max_grad_mt_m={hardware.max_grad_mt_m:g} and max_slew_t_m_s={hardware.max_slew_t_m_s:g}"
        )
        raise refusal("esp_ms", esp_us / 1e3, why, train.shortest_us / 1e3)
    length = raster_up(train.length_us(esp_us, etl))
    if tr_us < length:
        raise refusal("tr_ms", tr_us / 1e3, f"a shot of {etl} echoes takes longer", length / 1e3)
