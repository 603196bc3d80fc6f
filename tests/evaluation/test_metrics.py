"""Metrics keep their laws: what they ignore, what they bound, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spinloom.evaluation.metrics import MetricError, bias, max_abs_error, nrmse, pearson

REFERENCE = np.array([0.1, 0.9, 0.4, 0.7])
RESULT = np.array([0.15, 0.8, 0.45, 0.7])
METRICS = [nrmse, pearson, max_abs_error, bias]
numbers = st.floats(-5, 5, allow_nan=False)
scales = st.floats(0.1, 10)


@settings(deadline=None)
@given(scales, numbers)
def test_nrmse_does_not_change_with_scale_or_shift(scale: float, shift: float) -> None:
    moved = nrmse(scale * RESULT + shift, scale * REFERENCE + shift)
    assert moved == pytest.approx(nrmse(RESULT, REFERENCE), rel=1e-9)


@settings(deadline=None)
@given(scales, numbers)
def test_correlation_does_not_change_with_scale_or_shift_of_either(scale: float, shift: float) -> None:
    assert pearson(scale * RESULT + shift, REFERENCE) == pytest.approx(pearson(RESULT, REFERENCE), rel=1e-9)
    assert pearson(-RESULT, REFERENCE) == pytest.approx(-pearson(RESULT, REFERENCE))


def test_a_perfect_result_has_no_error_and_correlation_one() -> None:
    assert [metric(REFERENCE, REFERENCE) for metric in METRICS] == pytest.approx([0, 1, 0, 0])


def test_a_constant_shift_is_bias_and_largest_error_and_rmse() -> None:
    shifted = REFERENCE - 0.25
    assert bias(shifted, REFERENCE) == pytest.approx(-0.25)
    assert max_abs_error(shifted, REFERENCE) == pytest.approx(0.25)
    assert nrmse(shifted, REFERENCE) == pytest.approx(0.25 / (REFERENCE.max() - REFERENCE.min()))


def test_nrmse_lies_between_the_bias_and_the_largest_error() -> None:
    spread = REFERENCE.max() - REFERENCE.min()
    assert abs(bias(RESULT, REFERENCE)) <= nrmse(RESULT, REFERENCE) * spread <= max_abs_error(RESULT, REFERENCE)


@pytest.mark.parametrize("metric", METRICS)
def test_tensors_of_any_shape_compare_as_arrays_do(metric: Callable[..., float]) -> None:
    tensors = (torch.from_numpy(values).reshape(2, 2).requires_grad_() for values in (RESULT, REFERENCE))
    assert metric(*tensors) == metric(RESULT, REFERENCE)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("result", "reference", "message"),
    [
        pytest.param([], [], "empty; compare at least one value", id="empty"),
        pytest.param(
            [1.0], [1.0, 2.0], r"shape \(1,\), the reference \(2,\); compare values of one shape", id="shapes"
        ),
        pytest.param([np.nan, 1], [1.0, 2.0], "The result holds nan; select the finite values", id="NaN"),
        pytest.param([1.0, 2.0], [np.inf, 1], "The reference holds inf; select the finite values", id="infinity"),
        pytest.param([1j, 2.0], [1.0, 2.0], "complex; compare their magnitudes", id="complex"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    metric: Callable[..., float], result: list[complex], reference: list[complex], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        metric(np.array(result), np.array(reference))


@pytest.mark.parametrize("metric", [nrmse, pearson])
def test_a_constant_reference_gives_no_unit(metric: Callable[..., float]) -> None:
    with pytest.raises(MetricError, match=r"The reference is constant at 0\.5.*use max_abs_error"):
        metric(RESULT, np.full(4, 0.5))
