"""Numbers of pool models: what is read, and what is refused."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinloom.errors import TissueError
from spinloom.tissue.numbers import count, number, switch


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("62e-3", 0.062, id="exponent without a point, text in YAML 1.1"),
        pytest.param("11.2 / 111", 11.2 / 111, id="fraction"),
        pytest.param("(1 + 2) * -50e-3/110", -0.15 / 110, id="parentheses, product and sign"),
        pytest.param(" 8.29E-4 ", 8.29e-4, id="capital exponent and spaces"),
        pytest.param(".5", 0.5, id="no leading zero"),
        pytest.param(300, 300.0, id="whole number"),
    ],
)
def test_text_and_numbers_are_read(written: object, value: float) -> None:
    assert number(written, "f") == pytest.approx(value, rel=1e-15)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_reads_back_exactly_from_its_text(value: float) -> None:
    assert number(repr(value), "f") == value


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9))
def test_a_fraction_as_text_is_the_fraction(numerator: float, denominator: float) -> None:
    assert number(f"{numerator!r} / {denominator!r}", "f") == numerator / denominator


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("1 / 0", id="division by zero"),
        pytest.param("1e400", id="overflow"),
        pytest.param(".inf", id="infinity of YAML"),
        pytest.param(math.nan, id="not a number"),
        pytest.param(10**400, id="integer beyond any float"),
        pytest.param("2 ** 3", id="power"),
        pytest.param("__import__('os')", id="code"),
        pytest.param("0,05", id="decimal comma"),
        pytest.param("010", id="leading zero, octal in YAML 1.1"),
        pytest.param("", id="nothing"),
        pytest.param(None, id="null"),
        pytest.param(True, id="boolean"),
        pytest.param([1.0], id="nested list"),
        pytest.param("(" * 50 + "1" + ")" * 50, id="too long to be a number"),
    ],
)
def test_what_is_no_finite_number_is_refused_with_its_place_value_and_examples(written: object) -> None:
    with pytest.raises(TissueError, match=r"^file: 'f' is .*finite number.*62e-3 or 11\.2 / 111\.$") as caught:
        number(written, "file: 'f'")
    assert repr(written)[:10] in str(caught.value)


@given(st.text(max_size=30) | st.text("0123456789eE.+-*/() ", max_size=30))
def test_any_text_is_a_finite_number_or_our_error(text: str) -> None:
    with contextlib.suppress(TissueError):
        assert math.isfinite(number(text, "f"))


@pytest.mark.parametrize(
    ("written", "value"), [(True, True), ("True", True), ("1.0", True), (0.0, False), ("no", False)]
)
def test_switches_are_words_or_one_and_zero(written: object, value: bool) -> None:
    assert switch(written, "reset_init_mag") is value


@pytest.mark.parametrize("written", ["maybe", "2", None, [True]])
def test_a_switch_that_says_neither_is_refused(written: object) -> None:
    with pytest.raises(TissueError, match=r"reset_init_mag is .* must be true or false"):
        switch(written, "reset_init_mag")


def test_counts_are_whole_numbers_however_written() -> None:
    assert [count(written, "n") for written in (300, "300.0", 1, "1e6")] == [300, 300, 1, 1_000_000]


@pytest.mark.parametrize("written", [0, -3, 2.5, "many", "1e7", math.inf, True])
def test_a_count_that_is_none_is_refused(written: object) -> None:
    with pytest.raises(TissueError, match=r"max_pulse_samples is .* whole number from 1 to 1000000"):
        count(written, "max_pulse_samples")
