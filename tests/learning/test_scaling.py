"""Inputs on one scale, and those outside the range of training."""

from __future__ import annotations

import pytest
import torch

from spinloom import Input
from spinloom.learning.scaling import outside, range_notes, scaled

INPUTS = (Input("T1", "s", 1.0, 3.0), Input("field", "T", 3.0, 3.0), Input("shift", "ppm", -4.0, 4.0))


def test_ends_of_the_range_become_zero_and_one_and_a_single_value_zero() -> None:
    features = torch.tensor([[1.0, 3.0, -4.0], [3.0, 3.0, 4.0], [2.0, 3.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[0.0, 0, 0], [1, 0, 1], [0.5, 0, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(scaled(features, INPUTS), expected, atol=0, rtol=0)


def test_every_ratio_of_a_logarithmic_input_counts_alike() -> None:
    entry = Input("exchange rate", "1/s", 5.0, 500.0, logarithmic=True)
    found = scaled(torch.tensor([[5.0], [50.0], [500.0]], dtype=torch.float64), [entry])
    torch.testing.assert_close(found, torch.tensor([[0.0], [0.5], [1.0]], dtype=torch.float64), atol=1e-15, rtol=0)


def test_zero_on_a_logarithmic_scale_is_far_below_the_range_and_has_a_finite_slope() -> None:
    entries = Input("T1", "s", 0.0, 2.0), Input("exchange rate", "1/s", 5.0, 500.0, logarithmic=True)
    features = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    found = scaled(features, entries)
    found.sum().backward()
    # a thousandth of the low end lies three halves of a range of a hundred below it
    torch.testing.assert_close(found[0].detach(), torch.tensor([0.0, -1.5], dtype=torch.float64), atol=1e-15, rtol=0)
    assert features.grad is not None
    assert bool(features.grad.isfinite().all())


EDGES = {
    "inside": (2.0, False),
    "the upper end": (3.0, False),
    "the upper end to six digits": (3.00001, False),
    "just above": (3.001, True),
    "below": (0.5, True),
    "not a number": (float("nan"), True),
    "infinite": (float("inf"), True),
}


@pytest.mark.parametrize(("value", "flagged"), EDGES.values(), ids=EDGES.keys())
def test_a_value_counts_as_outside_beyond_the_digits_of_a_file(value: float, flagged: bool) -> None:
    assert outside(torch.tensor([[value, 3.0, 0.0]], dtype=torch.float64), INPUTS).tolist() == [[flagged, False, False]]


def test_one_measurement_outside_flags_the_tissue_for_that_input_alone() -> None:
    features = torch.tensor([2.0, 3.0, 0.0]).repeat(2, 5, 1)
    features[1, 3, 2] = 4.5
    assert outside(features, INPUTS).tolist() == [[False] * 3, [False, False, True]]


def test_the_note_says_how_many_how_far_and_what_is_valid() -> None:
    features = torch.tensor([[2.0, 3.0, 0.0], [3.5, 3.0, 0.0], [0.1, 3.0, 0.0]])
    (note,) = range_notes(features, outside(features, INPUTS), INPUTS)
    assert note == "T1 is outside the network's valid range in 2 of 3 tissues: 0.1, valid 1 to 3 s."


def test_scaling_is_differentiable() -> None:
    features = torch.tensor([[2.0, 3.0, 0.0]], dtype=torch.float64, requires_grad=True)
    scaled(features, INPUTS).sum().backward()
    assert features.grad is not None
    assert features.grad.tolist() == [[0.5, 1.0, 0.125]]
