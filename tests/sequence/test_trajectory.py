"""Where samples lie in k-space, against pypulseq and by hand, and which labels they carry."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypulseq as pp
import pytest

from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Label, Timeline
from spinloom.sequence.trajectory import labels, trajectory

SYSTEM = pp.Opts(
    max_grad=30, grad_unit="mT/m", max_slew=130, slew_unit="T/m/s", rf_dead_time=1e-4, rf_ringdown_time=3e-5
)
FOV, LINES = 0.22, 16


def spin_echo_train(older: bool = False) -> pp.Sequence:
    """Slice-selective excitation, crushed refocusing, EPI-like lines of both directions, spoiling, twice."""
    use = {} if older else {"use": "excitation"}
    excite, slice_gradient, rewinder = pp.make_sinc_pulse(
        np.pi / 2, duration=2e-3, slice_thickness=5e-3, return_gz=True, system=SYSTEM, delay=1e-4, **use
    )
    use = {} if older else {"use": "refocusing"}
    refocus = pp.make_block_pulse(np.pi, duration=1e-3, system=SYSTEM, delay=1e-4, **use)
    flat = pp.make_trapezoid("x", flat_area=LINES / FOV, flat_time=6.4e-4, system=SYSTEM)
    back = pp.scale_grad(flat, -1.0)
    adc = pp.make_adc(LINES, duration=6.4e-4, delay=flat.rise_time, system=SYSTEM)
    crusher = pp.make_trapezoid("z", area=1300.0, system=SYSTEM)
    sequence = pp.Sequence(SYSTEM)
    for shot in range(2):
        sequence.add_block(excite, slice_gradient)
        sequence.add_block(
            rewinder,
            pp.make_trapezoid("x", area=flat.area / 2, system=SYSTEM),
            pp.make_trapezoid("y", area=(8 + shot) / FOV, system=SYSTEM),
        )
        sequence.add_block(crusher)
        sequence.add_block(refocus)
        sequence.add_block(crusher)
        for line in range(4):
            sequence.add_block(flat if line % 2 == 0 else back, adc)
            sequence.add_block(pp.make_trapezoid("y", area=2 / FOV, system=SYSTEM))
        sequence.add_block(pp.make_trapezoid("x", area=5e4 / 50, system=SYSTEM))
    return sequence


def read(sequence: pp.Sequence, folder: Path, older: bool = False) -> Timeline:
    path = folder / "sequence.seq"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence.write(str(path), v141_compat=older)
    return read_sequence(path)


@pytest.mark.parametrize("older", [False, True], ids=["uses stated", "uses guessed from flip angles"])
def test_the_trajectory_is_that_of_pypulseq(older: bool, tmp_path: Path) -> None:
    """Its own splines integrate the same lines; the file rounds amplitudes to six digits."""
    expected = spin_echo_train().calculate_kspace()[0].T
    found = trajectory(read(spin_echo_train(older), tmp_path, older))
    assert found.shape == expected.shape == (2 * 4 * LINES, 3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-3)  # the crushers are 1300 cycles/m


def test_lines_lie_where_their_gradients_put_them(tmp_path: Path) -> None:
    """Half a sample from the edge, and the first line at -8 cycles a field of view after refocusing."""
    position = trajectory(read(spin_echo_train(), tmp_path)).reshape(2, 4, LINES, 3) * FOV
    across = np.arange(LINES) + 0.5 - LINES / 2
    np.testing.assert_allclose(position[:, 0, :, 0], np.tile(across, (2, 1)), atol=1e-3)
    np.testing.assert_allclose(position[:, 1, :, 0], np.tile(across[::-1], (2, 1)), atol=1e-3)
    np.testing.assert_allclose(position[1, :, 0, 1], [-9, -7, -5, -3], atol=1e-3)
    np.testing.assert_allclose(position[..., 2], 0, atol=1e-3)


def test_samples_beside_a_pulse_in_one_block_count_from_its_centre(tmp_path: Path) -> None:
    """Ultra-short echo times play the pulse and the readout in one block under one gradient."""
    pulse = pp.make_block_pulse(0.1, duration=2e-4, system=SYSTEM, delay=3e-4, use="excitation")
    gradient = pp.make_trapezoid("x", amplitude=1e5, flat_time=1.4e-3, rise_time=2e-4, system=SYSTEM)
    adc = pp.make_adc(8, dwell=1e-4, delay=6e-4, system=SYSTEM)
    sequence = pp.Sequence(SYSTEM)
    for _ in range(2):
        sequence.add_block(pulse, gradient, adc)
    found = trajectory(read(sequence, tmp_path))[:, 0]
    np.testing.assert_allclose(found, np.tile(1e5 * (2e-4 + (np.arange(8) + 0.5) * 1e-4), 2), rtol=1e-9)


def test_inversion_and_saturation_leave_k_alone(tmp_path: Path) -> None:
    gradient = pp.make_trapezoid("y", area=70.0, duration=2e-3, system=SYSTEM)
    adc = pp.make_adc(2, dwell=1e-4, delay=2e-5, system=SYSTEM)
    sequence = pp.Sequence(SYSTEM)
    for flip, use in enumerate(("excitation", "inversion", "saturation", "preparation", "refocusing"), start=1):
        sequence.add_block(pp.make_block_pulse(flip, duration=1e-3, system=SYSTEM, delay=1e-4, use=use))
        sequence.add_block(gradient)
        sequence.add_block(adc, pp.make_delay(1e-3))
    found = trajectory(read(sequence, tmp_path))[::2, 1]
    np.testing.assert_allclose(found, [70, 140, 210, 280, -210], rtol=1e-5)


TURNED = """[VERSION]
major 1
minor 5
revision 1

[DEFINITIONS]
AdcRasterTime 1e-07
BlockDurationRaster 1e-05
GradientRasterTime 1e-05
RadiofrequencyRasterTime 1e-06

[BLOCKS]
1 100 0 1 2 0 0 1
2 100 0 1 0 0 1 0
3 100 0 0 1 0 1 2

[TRAP]
1 1000 100 800 100 0
2 -500 100 800 100 0

[ADC]
1 2 100000 350 0 0 0 0 0

[EXTENSIONS]
1 1 1 0
2 1 2 0

extension ROTATIONS 1
1 0.70710678 0 0 0.70710678
2 0.70710678 0.70710678 0 0
"""


def test_rotations_turn_the_gradients_of_their_block_alone(seq_file: Callable[[str], Path]) -> None:
    """A quarter turn about z takes x to y and y to -x; one about x takes y to z."""
    found = trajectory(read_sequence(seq_file(TURNED)))
    begin = np.array([0.45, 0.9, 0.0])
    first = begin + np.outer([0.35, 0.45], [1.0, 0.0, 0.0])
    second = begin + np.array([0.9, 0.0, 0.0]) + np.outer([0.35, 0.45], [0.0, 0.0, 1.0])
    np.testing.assert_allclose(found, np.concatenate([first, second]), atol=1e-7)


def test_labels_last_and_take_effect_in_their_block_sets_before_increments(tmp_path: Path) -> None:
    adc = pp.make_adc(2, dwell=1e-4, delay=2e-5, system=SYSTEM)
    wait = pp.make_delay(1e-3)
    sequence = pp.Sequence(SYSTEM)
    sequence.add_block(adc, wait)
    sequence.add_block(adc, wait, pp.make_label("LIN", "INC", 2), pp.make_label("SLC", "SET", 3))
    sequence.add_block(wait, pp.make_label("LIN", "INC", 5))
    sequence.add_block(adc, wait)
    sequence.add_block(adc, wait, pp.make_label("LIN", "INC", 1), pp.make_label("LIN", "SET", -4))
    sequence.add_block(adc, wait, pp.make_label("LIN", "INC", 1))
    found = labels(read(sequence, tmp_path))
    assert {name: values.tolist() for name, values in found.items()} == {
        "LIN": [0, 2, 7, -3, -2],
        "SLC": [0, 3, 3, 3, 3],
    }


def test_labels_without_an_own_order_are_those_of_pypulseq(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    adc = pp.make_adc(2, dwell=1e-4, delay=2e-5, system=SYSTEM)
    sequence = pp.Sequence(SYSTEM)
    for name, kind, value in zip(
        rng.choice(["LIN", "ECO", "REP"], 60), rng.choice(["SET", "INC"], 60), rng.integers(-9, 9, 60), strict=True
    ):
        event = [adc] if rng.random() < 0.5 else []
        sequence.add_block(*event, pp.make_delay(1e-3), pp.make_label(str(name), str(kind), int(value)))
    expected = sequence.evaluate_labels(evolution="adc")
    found = labels(read(sequence, tmp_path))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_timeline_without_labels_or_samples_has_none(tmp_path: Path) -> None:
    sequence = pp.Sequence(SYSTEM)
    sequence.add_block(pp.make_delay(1e-3))
    timeline = read(sequence, tmp_path)
    assert labels(timeline) == {}
    assert trajectory(timeline).shape == (0, 3)
    assert Label not in {type(item) for items in timeline.extensions for item in items}


def test_chains_of_refocusing_do_not_lose_digits(tmp_path: Path) -> None:
    """Fifty copies end where one does: sums begin anew with each excitation, but share one running sum."""
    timeline = read(spin_echo_train(), tmp_path)
    many = replace(
        timeline,
        block_duration=np.tile(timeline.block_duration, 50),
        block_rf=np.tile(timeline.block_rf, 50),
        block_gradient=np.tile(timeline.block_gradient, (1, 50)),
        block_adc=np.tile(timeline.block_adc, 50),
        block_extension=np.tile(timeline.block_extension, 50),
    )
    once = trajectory(timeline)
    np.testing.assert_allclose(trajectory(many).reshape(50, *once.shape), np.tile(once, (50, 1, 1)), atol=1e-8)
