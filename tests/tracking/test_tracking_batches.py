"""What MLflow takes: names, lengths, batches and numbers that are not finite; nothing is lost without a word."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinloom.tracking.batches import (
    BATCH_CHARACTERS,
    BATCH_VALUES,
    PARAMETER_LENGTH,
    Point,
    batches,
    finite,
    short_texts,
    storable_name,
    storable_names,
)


@given(st.text(max_size=400))
def test_every_name_becomes_one_that_mlflow_takes(name: str) -> None:
    from mlflow.utils.validation import _validate_metric, _validate_param

    _validate_param(storable_name(name), "value")
    _validate_metric(storable_name(name), 1.0, 0, 0)


@pytest.mark.parametrize("name", ["simulator.dtype", "timings/read sequence", "best/val-loss", "T1"])
def test_a_name_that_mlflow_takes_stays(name: str) -> None:
    assert storable_name(name) == name


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=20))
def test_names_that_become_one_are_kept_apart(values: dict[str, int]) -> None:
    assert sorted(storable_names(values).values()) == sorted(values.values())


def test_a_long_text_is_shortened_with_a_word_on_where_the_whole_is() -> None:
    long = "t1: 1.2\n" * 1000

    texts, files = short_texts({"tissue": long, "seed": 7}, PARAMETER_LENGTH, "parameters")

    assert files == {"parameters/tissue.txt": long}
    assert texts["seed"] == "7"
    assert texts["tissue"].startswith("t1: 1.2\n")
    assert texts["tissue"].endswith("... (all 8000 characters are in parameters/tissue.txt)")


def test_a_text_as_long_as_may_be_stays_whole() -> None:
    texts, files = short_texts({"tissue": "x" * PARAMETER_LENGTH}, PARAMETER_LENGTH, "parameters")

    assert (len(texts["tissue"]), files) == (PARAMETER_LENGTH, {})


@given(st.lists(st.integers(0, PARAMETER_LENGTH), max_size=300))
def test_batches_hold_everything_in_order_within_the_limits(lengths: list[int]) -> None:
    texts = {str(index): "x" * length for index, length in enumerate(lengths)}

    made = [*batches(texts)]

    assert [item for batch in made for item in batch.items()] == [*texts.items()]
    assert all(0 < len(batch) <= BATCH_VALUES for batch in made)
    assert all(sum(map(len, batch.values())) <= BATCH_CHARACTERS for batch in made)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_value_that_is_not_finite_is_stored_as_nan_and_named(value: float) -> None:
    points, tags = finite([Point("loss", value, 3, 0), Point("good", 1.0, 3, 0)])

    assert math.isnan(points[0].value)
    assert points[1] == Point("good", 1.0, 3, 0)
    assert tags == {"nonfinite/loss": f"{value} at step 3"}
