"""Gradients as points that straight lines join, and the ends that files before version 1.5 leave out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Timeline

HEAD = "[VERSION]\nmajor 1\nminor {minor}\nrevision 0\n\n[BLOCKS]\n{blocks}\n\n[GRADIENTS]\n{gradients}\n\n[SHAPES]\n\n"
SHAPES = """shape_id 1
num_samples 3
1
0.5
0.25

shape_id 2
num_samples 3
0
4
10

shape_id 3
num_samples 5
0.2
0.4
0.6
0.8
1
"""


@pytest.fixture
def read(seq_file: Callable[[str], Path]) -> Callable[..., Timeline]:
    """The timeline of these blocks (version 1.4 unless said) and gradients."""

    def timeline(blocks: str, gradients: str, minor: int = 4) -> Timeline:
        return read_sequence(seq_file(HEAD.format(minor=minor, blocks=blocks, gradients=gradients) + SHAPES))

    return timeline


def ends(timeline: Timeline, block: int, axis: str = "x") -> tuple[float, float]:
    gradient = timeline.block(block).gradients[axis]
    return gradient.first, gradient.last


def test_version_1_5_states_the_ends(read: Callable[..., Timeline]) -> None:
    timeline = read("1 3 0 1 0 0 0 0", "1 1000 700 -300 1 0 0", minor=5)
    times, values = timeline.block(0).gradients["x"].points()
    np.testing.assert_allclose(times, np.array([0, 5, 15, 25, 30]) * 1e-6, atol=1e-15)
    np.testing.assert_allclose(values, [700, 1000, 500, 250, -300])


def test_the_moment_is_the_area_under_the_lines(read: Callable[..., Timeline]) -> None:
    timeline = read("1 3 0 1 0 0 0 0", "1 1000 700 -300 1 0 0", minor=5)
    assert timeline.gradients[0].moment == pytest.approx((850 * 5 + 750 * 10 + 375 * 10 - 25 * 5) * 1e-6)


def test_a_first_gradient_starts_from_rest_and_a_sampled_one_ends_on_its_line(read: Callable[..., Timeline]) -> None:
    assert ends(read("1 3 0 1 0 0 0 0", "1 1000 1 0 0"), 0) == (0, pytest.approx(125))


def test_an_extended_gradient_ends_on_its_last_point(read: Callable[..., Timeline]) -> None:
    assert ends(read("1 10 0 1 0 0 0 0", "1 1000 1 2 0"), 0) == (0, pytest.approx(250))


def test_an_oversampled_gradient_ends_one_sample_step_after_its_last_sample(read: Callable[..., Timeline]) -> None:
    timeline = read("1 3 0 1 0 0 0 0", "1 1000 3 -1 0")
    assert ends(timeline, 0) == (0, pytest.approx(1200))
    np.testing.assert_allclose(timeline.gradients[0].points()[0], np.arange(7) * 5e-6, atol=1e-15)


def test_a_gradient_starts_from_what_the_block_before_left_on_its_axis(read: Callable[..., Timeline]) -> None:
    timeline = read("1 10 0 1 0 0 0 0\n2 3 0 2 2 0 0 0", "1 1000 1 2 0\n2 500 1 0 0")
    assert ends(timeline, 1)[0] == pytest.approx(250)


@pytest.mark.parametrize(
    ("blocks", "gradients"),
    [
        pytest.param("1 11 0 1 0 0 0 0\n2 3 0 2 0 0 0 0", "1 1000 1 2 0\n2 500 1 0 0", id="the block goes on after it"),
        pytest.param("1 10 0 1 0 0 0 0\n2 9 0 0 0 0 0 0\n3 3 0 2 0 0 0 0", "1 1000 1 2 0\n2 5 1 0 0", id="a pause"),
        pytest.param("1 10 0 0 1 0 0 0\n2 3 0 2 0 0 0 0", "1 1000 1 2 0\n2 500 1 0 0", id="another axis"),
        pytest.param("1 10 0 1 0 0 0 0\n2 5 0 2 0 0 0 0", "1 1000 1 2 0\n2 500 1 0 20", id="its own delay"),
    ],
)
def test_a_gradient_starts_from_rest_after(blocks: str, gradients: str, read: Callable[..., Timeline]) -> None:
    timeline = read(blocks, gradients)
    assert ends(timeline, len(timeline) - 1)[0] == 0


def test_where_a_gradient_is_played_first_decides_and_every_play_counts(read: Callable[..., Timeline]) -> None:
    """pypulseq skips a gradient that it has seen before, and so takes the third block to begin from rest."""
    blocks = "1 10 0 1 0 0 0 0\n2 10 0 1 0 0 0 0\n3 3 0 2 0 0 0 0"
    timeline = read(blocks, "1 1000 1 2 0\n2 500 1 0 0")
    assert ends(timeline, 2)[0] == pytest.approx(250)


def test_a_gradient_that_ends_before_its_old_block_does_leaves_nothing_behind(seq_file: Callable[[str], Path]) -> None:
    """Before version 1.4 the block's end is that of its longest event, here the delay."""
    text = (
        "[VERSION]\nmajor 1\nminor 3\nrevision 0\n\n[BLOCKS]\n1 {delay} 0 1 0 0 0 0\n2 0 0 2 0 0 0 0\n\n[GRADIENTS]\n"
    )
    text += "1 1000 1 0\n2 500 1 0\n\n[DELAYS]\n1 1000\n\n[SHAPES]\n\nshape_id 1\nnum_samples 3\n1\n-0.5\n-0.25\n"
    assert ends(read_sequence(seq_file(text.format(delay=1))), 1)[0] == 0
    assert ends(read_sequence(seq_file(text.format(delay=0))), 1)[0] == pytest.approx(125)


def test_gradients_that_no_block_plays_have_finite_ends_and_moments(read: Callable[..., Timeline]) -> None:
    timeline = read("1 3 0 0 0 0 0 0", "1 1000 1 0 0\n2 1000 1 2 0")
    assert all(np.isfinite([gradient.first, gradient.last, gradient.moment]).all() for gradient in timeline.gradients)


@pytest.mark.parametrize(
    ("gradient", "complaint"),
    [
        ("1 1000 1 -2 0", r"gradient 1 has time shape -2; gradients have 0, -1 or the id of a shape"),
        ("1 1000 3 2 0", r"gradient 1 has 5 samples at 3 times"),
        ("1 1000 1 1 0", r"gradient 1 has a time shape that does not rise from 0"),
    ],
)
def test_times_that_do_not_fit_are_refused(gradient: str, complaint: str, read: Callable[..., Timeline]) -> None:
    with pytest.raises(SequenceError, match=complaint):
        read("1 100 0 1 0 0 0 0", gradient)
