"""Metrics on their way: the best so far goes along, and a request waits for enough values."""

from __future__ import annotations

import math

import pytest

from spinloom.errors import ConfigurationError
from spinloom.tracking.metrics import ENOUGH, MetricBuffer


@pytest.mark.parametrize(
    ("direction", "best"),
    [("min", [(0, 3.0), (1, 1.0), (4, 0.5)]), ("max", [(0, 3.0), (3, 4.0)])],
)
def test_each_improvement_is_logged_as_the_best_so_far(direction: str, best: list[tuple[int, float]]) -> None:
    buffer = MetricBuffer({"loss": direction})
    for step, value in enumerate([3.0, 1.0, math.nan, 4.0, 0.5]):
        buffer.add({"loss": value, "rate": value}, step)

    assert [(point.step, point.value) for point in buffer.points if point.name == "best/loss"] == best
    assert not [point for point in buffer.points if point.name == "best/rate"]


def test_nan_at_first_is_not_the_best() -> None:
    buffer = MetricBuffer({"loss": "min"})
    buffer.add({"loss": math.nan}, 0)
    buffer.add({"loss": 2.0}, 1)

    assert [point.value for point in buffer.points if point.name == "best/loss"] == [2.0]


def test_a_request_is_due_when_there_are_enough_values() -> None:
    buffer = MetricBuffer({})
    for step in range(ENOUGH - 1):
        buffer.add({"loss": 1.0}, step)
    assert not buffer.is_due()

    buffer.add({"loss": 1.0}, ENOUGH)

    assert buffer.is_due()


def test_an_unknown_direction_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"metric 'loss' is 'mini'\. Did you mean 'min'\? Known: max, min"):
        MetricBuffer({"loss": "mini"})  # type: ignore[dict-item]
