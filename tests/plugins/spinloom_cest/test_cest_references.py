"""The CEST simulator against independent float64 solutions of public files and of our own.

The reference tables of the Bloch-McConnell simulation challenge were computed apart from this project from exactly
what the public files say; 40-digit arithmetic agrees with them to 6e-11, an ODE integration to 3e-10.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import spinloom

PUBLIC = Path(__file__).parents[3].parent / "shared" / "data"
DATA = Path(__file__).parents[2] / "data"

needs_public_files = pytest.mark.skipif(
    not PUBLIC.is_dir(), reason="the public .seq files, which are not ours to copy, do not lie beside the checkout"
)

CASES = {
    "case 1, 15 s block pulse, creatine": ("1_2pool_model", "1_create_seq"),
    "case 2, 2 s block pulse, creatine": ("2_2pool_model", "2_create_seq"),
    "case 3, five pools with a full MT pool": ("3_5pool_model", "3_create_seq"),
    "case 4, WASABI on five pools": ("4_5pool_model", "4_create_seq"),
    "case 6, 36 shaped pulses, creatine": ("6_2pool_model", "6_pypulseq_v140"),
}


def challenge(model: str, sequence: str, **options: str) -> tuple[spinloom.Signal, np.ndarray]:
    """The signal of a case, and its reference: offsets [ppm] and Mz, shape `(measurements, 2)`."""
    reference = np.loadtxt(DATA / f"case_{model[0]}_reference.csv", delimiter=",", skiprows=1)
    files = {"sequence": PUBLIC / "bmsim" / f"case_{sequence}.seq", "tissue": PUBLIC / "bmsim" / f"case_{model}.yaml"}
    return spinloom.simulate(simulator="cest", **files, **options), reference


@needs_public_files
@pytest.mark.parametrize(("model", "sequence"), CASES.values(), ids=CASES.keys())
def test_challenge_case_agrees_within_1e9(model: str, sequence: str) -> None:
    """1e-9 is three times what the reference itself is known to."""
    signal, reference = challenge(model, sequence, cells="all")
    assert np.abs(signal.mz.numpy() - reference[:, 1]).max() <= 1e-9
    assert np.abs(signal.offset_ppm - reference[:, 0]).max() <= 1e-9  # the file's own list of offsets


@needs_public_files
@pytest.mark.parametrize(("model", "sequence"), CASES.values(), ids=CASES.keys())
def test_challenge_case_in_single_precision_is_rounded_alone(model: str, sequence: str) -> None:
    """By the default sampling; solved in float64 and rounded to float32 at the end, half a unit of the last place."""
    signal, reference = challenge(model, sequence, dtype="float32")
    assert signal.mz.dtype == torch.float32
    assert np.abs(signal.mz.double().numpy() - reference[:, 1]).max() <= np.finfo(np.float32).eps


@needs_public_files
def test_an_older_version_of_a_file_differs_by_its_digits_alone() -> None:
    """The 1.3.1 file of case 6 carries amplitudes of fewer digits: 5.8e-7 away from the 1.4.0 file's reference."""
    reference = np.loadtxt(DATA / "case_6_reference.csv", delimiter=",", skiprows=1)[:, 1]
    signal = spinloom.simulate(
        sequence=PUBLIC / "bmsim" / "case_6_pypulseq_v131.seq",
        tissue=PUBLIC / "bmsim" / "case_6_2pool_model.yaml",
        cells="all",
    )
    assert 1e-7 < np.abs(signal.mz.numpy() - reference).max() < 1e-6


@needs_public_files
def test_seven_pool_train_agrees_with_the_converged_reference_of_its_protocol() -> None:
    """The reference is of the protocol at 127.7292 MHz; the public file of today plays it at 123.2 MHz.

    With the file's frequencies and phases carried to 127.7292 MHz, what remains is the six digits of two files of
    one protocol, which are worth up to 6e-4 in general and 4.2e-5 here.
    """
    reference = np.loadtxt(DATA / "seven_pool_aptw_reference.csv")
    timeline = spinloom.read_sequence(
        PUBLIC / "pulseq-cest-library" / "APTw_3T_001_2uT_36SincGauss_DC90_2s_braintumor.seq"
    )
    carried = at_another_frequency(timeline, 127.7292 / 123.2, pulse=0.05)
    tissue = PUBLIC / "pulseq-cest-library" / "WM_3T_default_7pool_bmsim.yaml"
    signal = spinloom.simulate(sequence=carried, tissue=tissue, rtol=1e-7)
    assert np.abs(signal.mz.numpy() - reference).max() <= 6e-5


def at_another_frequency(timeline: spinloom.Timeline, ratio: float, pulse: float) -> spinloom.Timeline:
    """Every offset times `ratio`, with the phases that the train accumulates over its pulses of length `pulse` [s]."""
    position: dict[float, int] = {}
    events = []
    for event in timeline.rf:
        number = position[event.frequency_offset] = position.get(event.frequency_offset, -1) + 1
        offset = event.frequency_offset * ratio
        phase = (2 * np.pi * offset * pulse * number) % (2 * np.pi)
        events.append(dataclasses.replace(event, frequency_offset=offset, phase_offset=phase))
    return dataclasses.replace(timeline, rf=tuple(events))


@needs_public_files
def test_default_sampling_of_the_public_train_errs_by_less_than_1e5() -> None:
    """Against every 1 us sample of the file, at the offsets where sampling matters most and far away."""
    timeline = spinloom.read_sequence(
        PUBLIC / "pulseq-cest-library" / "APTw_3T_001_2uT_36SincGauss_DC90_2s_braintumor.seq"
    )
    tissue = PUBLIC / "pulseq-cest-library" / "WM_3T_default_7pool_bmsim.yaml"
    few = first_measurements(timeline, 3)
    exact = spinloom.simulate(sequence=few, tissue=tissue, cells="all").mz
    default = spinloom.simulate(sequence=few, tissue=tissue).mz
    assert float((default - exact).abs().max()) <= 1e-6


def first_measurements(timeline: spinloom.Timeline, number: int) -> spinloom.Timeline:
    """The timeline up to and with its `number`-th ADC event."""
    end = int(np.flatnonzero(timeline.block_adc >= 0)[number - 1]) + 1
    return dataclasses.replace(
        timeline,
        block_duration=timeline.block_duration[:end].copy(),
        block_rf=timeline.block_rf[:end].copy(),
        block_gradient=timeline.block_gradient[:, :end].copy(),
        block_adc=timeline.block_adc[:end].copy(),
        block_extension=timeline.block_extension[:end].copy(),
        rf=timeline.rf,
    )


def test_the_shipped_train_agrees_with_every_sample_of_its_file() -> None:
    exact = spinloom.simulate(sequence="aptw_3t_36pulses", tissue="wm_3t_7pool", cells="all")
    default = spinloom.simulate(sequence="aptw_3t_36pulses", tissue="wm_3t_7pool")
    assert float((default.mz - exact.mz).abs().max()) <= 1e-6
    assert float((default.mxy - exact.mxy).abs().max()) <= 1e-6


def test_the_shipped_train_reproduces_the_converged_reference_of_its_protocol() -> None:
    """Our file lets exactly 5 ms pass between pulses, the converged one 5.13 ms with its dead times and ring-down.

    36 gaps of 0.13 ms are 4.7 ms more of recovery, worth 36 x 0.13e-3 s / T1 x (1 - Z) = 4.7e-3 in the limit of a
    train that has no memory; the saturation pulls most of it back, and 9.2e-4 is left.
    """
    reference = np.loadtxt(DATA / "seven_pool_aptw_reference.csv")
    signal = spinloom.simulate(sequence="aptw_3t_36pulses", tissue="wm_3t_7pool")
    assert np.abs(signal.mz.numpy() - reference).max() <= 1.2e-3
