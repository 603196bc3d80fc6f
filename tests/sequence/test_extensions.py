"""Labels, triggers, soft delays, rotations and RF shims, in the order in which the sequence was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation as ScipyRotation

from spinloom.errors import SequenceError
from spinloom.sequence.events import rotation_in
from spinloom.sequence.lowering.extensions import MAX_LIST
from spinloom.sequence.read import read_sequence
from spinloom.sequence.steps import step_program
from spinloom.sequence.timeline import Label, RfShim, Rotation, SoftDelay, Trigger

Write = Callable[[str], Path]

TEXT = """[VERSION]
major 1
minor 5
revision 0

[BLOCKS]
1 10 0 0 0 0 0 3
2 20 0 0 0 0 0 0
3 500 0 0 0 0 0 4
4 10 0 0 0 0 0 3
5 10 0 0 0 0 0 5

[EXTENSIONS]
1 7 1 0
2 7 2 1
3 9 1 2
4 2 1 0
5 4 1 0

extension LABELSET 7
1 12 SLC
2 -1 ECO

extension LABELINC 9
1 3 LIN

extension TRIGGERS 2
1 1 3 100 2000

extension DELAYS 4
1 0 -1500 0.5 TE
"""


def test_a_block_carries_its_list_in_the_order_of_writing(seq_file: Write) -> None:
    """Pulseq stores the lists backwards."""
    timeline = read_sequence(seq_file(TEXT))
    labels = (Label("SLC", 12, False), Label("ECO", -1, False), Label("LIN", 3, True))
    assert timeline.block(0).extensions == timeline.block(3).extensions == labels
    assert timeline.block(1).extensions == ()


def test_triggers_have_their_times_in_seconds(seq_file: Write) -> None:
    (trigger,) = read_sequence(seq_file(TEXT)).block(2).extensions
    assert trigger == Trigger("output", 3, pytest.approx(1e-4), pytest.approx(2e-3))


def test_soft_delays_may_have_a_broken_factor(seq_file: Write) -> None:
    """pypulseq reads whole factors alone; the format and its MATLAB writer know others."""
    assert read_sequence(seq_file(TEXT)).block(4).extensions == (SoftDelay(0, pytest.approx(-1.5e-3), 0.5, "TE"),)


def test_lists_that_repeat_are_held_once(seq_file: Write) -> None:
    timeline = read_sequence(seq_file(TEXT))
    assert len(timeline.extensions) == 3
    assert timeline.block_extension[0] == timeline.block_extension[3]


def test_a_trigger_that_outlasts_its_block_is_refused(seq_file: Write) -> None:
    with pytest.raises(SequenceError, match=r"block 3 lasts 0\.0001 s, but its events end after 0\.0021 s"):
        read_sequence(seq_file(TEXT.replace("3 500 0", "3 10 0")))


@pytest.mark.parametrize(("length", "is_read"), [(MAX_LIST, True), (MAX_LIST + 1, False)])
def test_lists_have_an_end(length: int, is_read: bool, seq_file: Write) -> None:
    """Found by thinking of a file in which each of many blocks plays a longer tail of one list of all rows."""
    entries = "\n".join(f"{key} 7 1 {key - 1}" for key in range(6, length + 1))
    text = TEXT.replace("5 4 1 0\n", "5 7 1 4\n" + entries + "\n").replace(
        "5 10 0 0 0 0 0 5", f"5 900 0 0 0 0 0 {length}"
    )
    text = text.replace("4 2 1 0\n", "4 7 1 3\n")
    if is_read:
        assert len(read_sequence(seq_file(text)).block(4).extensions) == length
    else:
        with pytest.raises(SequenceError, match="refers to itself or is endless"):
            read_sequence(seq_file(text))


TURNED = """[VERSION]
major 1
minor 5
revision 1

[BLOCKS]
1 10 0 0 0 0 0 1
2 10 0 0 0 0 0 2

[EXTENSIONS]
1 3 2 0
2 5 1 0

extension ROTATIONS 3
1 1 0 0 0
2 0.5 0.1 -0.7 0.5

extension RF_SHIMS 5
1 2 1 0 0.5 1.570796
"""


def test_rotations_turn_vectors_as_their_quaternions_do(seq_file: Write) -> None:
    """Scalar first; scipy, an independent implementation, has it last."""
    rotation = rotation_in(read_sequence(seq_file(TURNED)).block(0).extensions)
    assert rotation is not None
    np.testing.assert_allclose(rotation.matrix, ScipyRotation.from_quat([0.1, -0.7, 0.5, 0.5]).as_matrix(), atol=1e-15)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    quarter = Rotation((np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)))
    np.testing.assert_allclose(quarter.matrix @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-15)


def test_rf_shims_are_complex_weights_of_channels(seq_file: Write) -> None:
    (shim,) = read_sequence(seq_file(TURNED)).block(1).extensions
    assert isinstance(shim, RfShim)
    np.testing.assert_allclose(shim.weights, [1.0, 0.5j], atol=1e-6)  # six digits of pi / 2


def test_who_knows_one_transmit_field_refuses_rf_shims_by_name(seq_file: Write) -> None:
    with pytest.raises(SequenceError, match=r"block 2 .* RF_SHIMS"):
        step_program(read_sequence(seq_file(TURNED)))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("0.5 0.1 -0.7 0.5", "0.5 0.1 -0.7 0.9", "quaternion .* its length must be 1"),
        ("1 2 1 0 0.5 1.570796", "1 3 1 0 0.5 1.570796", "8 columns expected, 6 found"),
        ("1 2 1 0 0.5 1.570796", "1 2 1 0 0.5 wide", "'wide' is no number"),
        ("1 2 1 0 0.5 1.570796", "1", "2 columns expected, 1 found"),
        ("2 5 1 0", "2 3 1 1", "several rotations; a block has at most one"),
        ("extension RF_SHIMS 5", "extension NEWS 5", "the file uses 'extension NEWS 5'; of Pulseq's extensions"),
    ],
)
def test_what_is_no_rotation_or_shim_is_refused(old: str, new: str, complaint: str, seq_file: Write) -> None:
    with pytest.raises(SequenceError, match=complaint):
        read_sequence(seq_file(TURNED.replace(old, new)))
