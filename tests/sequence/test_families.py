"""Families in general: what a signature says, what values are accepted, what is drawn, and what a built file is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pypulseq as pp
import pytest

from spinloom.errors import PluginError, SequenceError
from spinloom.sequence.families import build, draw
from spinloom.sequence.family import Family
from spinloom.sequence.parameter import Meaning


def pause(
    *,
    length_ms: Annotated[float, Meaning("length of the pause [ms]", 0, 100, published=(5, 20))] = 10.0,
    count: Annotated[int, Meaning("pauses", 1, 8)] = 2,
    pairs: Annotated[int, Meaning("an even number", 0, 8, multiple=2)] = 0,
    kind: Annotated[Literal["plain", "fancy"], Meaning("of pause")] = "plain",
    reverse: bool = False,
    note: str = "none",
    weights: tuple[float, float] = (1, 2),
    extra_ms: float | None = None,
) -> pp.Sequence:
    """Pauses, on 1 ms.

    More of the same.
    """
    sequence = pp.Sequence()
    for _ in range(count):
        sequence.add_block(pp.make_delay(round(length_ms) * 1e-3))
    sequence.set_definition("length_ms", round(length_ms))
    sequence.set_definition("extra_ms", 1.0)
    return sequence


PAUSE = Family.of("pause", pause)


def test_the_signature_says_what_a_family_is() -> None:
    assert (PAUSE.name, PAUSE.summary) == ("pause", "Pauses, on 1 ms.")
    assert {parameter.name: parameter.kind for parameter in PAUSE.parameters} == {
        "length_ms": float, "count": int, "pairs": int, "kind": str, "reverse": bool, "note": str, "weights": tuple,
        "extra_ms": float,
    }  # fmt: skip
    assert PAUSE.parameter("kind").choices == ("plain", "fancy")
    assert [parameter.name for parameter in PAUSE.parameters if parameter.optional] == ["extra_ms"]
    assert PAUSE.published() == {"length_ms": (5, 20)}


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("length_ms", 3, 3.0),
        ("length_ms", np.float32(0.5), 0.5),
        ("count", 3.0, 3),
        ("count", np.int64(4), 4),
        ("kind", "fancy", "fancy"),
        ("weights", [3, np.float64(4)], (3.0, 4.0)),
        ("extra_ms", None, None),
    ],
)
def test_a_value_is_taken_in_the_type_of_its_parameter(name: str, given: Any, taken: Any) -> None:
    value = PAUSE.complete({name: given})[name]
    assert value == taken
    assert type(value) is type(taken)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("length_ms", "long", "length_ms is long; it is a number from 0 to 100."),
        ("length_ms", True, "length_ms is true; it is a number from 0 to 100."),
        ("length_ms", float("nan"), "length_ms is nan; it is a number from 0 to 100."),
        ("length_ms", -1, "length_ms is -1; it is a number from 0 to 100."),
        ("length_ms", None, "length_ms is none; it is a number from 0 to 100."),
        ("count", 2.5, "count is 2.5; it is a whole number from 1 to 8."),
        ("pairs", 3, "pairs is 3; it is a multiple of 2 from 0 to 8."),
        ("kind", "odd", "kind is odd; it is one of plain, fancy."),
        ("reverse", 1, "reverse is 1; it is true or false."),
        ("note", 1, "note is 1; it is a word."),
        ("weights", (1, 2, 3), "weights is (1, 2, 3); it is 2 numbers in parentheses."),
        ("weights", 1, "weights is 1; it is 2 numbers in parentheses."),
        ("extra_ms", {}, "extra_ms is {}; it is a number, or none."),
        ("lenght_ms", 1, "Family 'pause' has no parameter 'lenght_ms'. Did you mean 'length_ms'?"),
    ],
)
def test_another_value_is_refused_with_what_it_may_be(name: str, given: Any, sentence: str) -> None:
    with pytest.raises(SequenceError) as refused:
        build(PAUSE, {name: given})
    assert str(refused.value).startswith(sentence)


def positional(length_ms: float = 1) -> pp.Sequence:
    raise NotImplementedError


def without_default(*, length_ms: float) -> pp.Sequence:
    raise NotImplementedError


def without_annotation(*, length_ms=1) -> pp.Sequence:
    raise NotImplementedError


def of_two_types(*, length_ms: int | str = 1) -> pp.Sequence:
    raise NotImplementedError


@pytest.mark.parametrize("function", [positional, without_default, without_annotation, of_two_types])
def test_a_signature_that_describes_no_family_is_the_plugins_fault(function) -> None:
    with pytest.raises(PluginError, match="Its parameter 'length_ms' is "):
        Family.of("odd", function)


def test_the_file_holds_the_parameters_as_they_play() -> None:
    built = build(PAUSE, {"length_ms": 4.2})
    assert built.expression == (
        "pause(length_ms=4, count=2, pairs=0, kind=plain, reverse=false, note=none, weights=(1, 2), extra_ms=1)"
    )
    timeline = built.timeline()
    assert timeline.duration == pytest.approx(8e-3)
    assert timeline.definitions["Family"] == built.expression
    assert build(PAUSE, built.parameters).content == built.content


def test_a_function_that_fails_or_builds_something_else_is_the_plugins_fault() -> None:
    def fails(*, length_ms: float = 1) -> pp.Sequence:
        raise ZeroDivisionError("oh")

    with pytest.raises(PluginError, match=r"fails\(length_ms=1\) cannot be built: ZeroDivisionError: oh."):
        build(Family.of("fails", fails), {})
    with pytest.raises(PluginError, match="Family 'text' built str, not a sequence of pypulseq"):
        build(Family.of("text", lambda: "sequence"), {})


def test_draws_are_within_their_ranges_and_repeat_with_their_seed() -> None:
    ranges = {"length_ms": (2.0, 3.0), "count": (1, 3), "kind": ["plain", "fancy"], "weights": [(1, 2), (3, 4)]}
    drawn = draw(PAUSE, ranges, seed=7, count=200)
    assert drawn == draw(PAUSE, ranges, seed=7, count=200)
    assert drawn != draw(PAUSE, ranges, seed=8, count=200)
    assert all(2 <= each["length_ms"] <= 3 for each in drawn)
    for name, values in (("count", {1, 2, 3}), ("kind", {"plain", "fancy"}), ("weights", {(1, 2), (3, 4)})):
        assert {each[name] for each in drawn} == values


def test_what_is_drawn_for_one_parameter_does_not_depend_on_the_others() -> None:
    alone = draw(PAUSE, {"length_ms": (0, 1)}, seed=7, count=5)
    together = draw(PAUSE, {"count": (1, 8), "length_ms": (0, 1)}, seed=7, count=5)
    assert [each["length_ms"] for each in alone] == [each["length_ms"] for each in together]


def test_without_ranges_those_that_were_published_are_drawn() -> None:
    (drawn,) = draw(PAUSE, seed=1, count=1)
    assert drawn.keys() == {"length_ms"}
    assert 5 <= drawn["length_ms"] <= 20


@pytest.mark.parametrize(
    ("ranges", "sentence"),
    [
        ({"lengths": (0, 1)}, "Family 'pause' has no parameter 'lengths'"),
        ({"length_ms": (0, 1000)}, "length_ms is 1000; it is a number from 0 to 100"),
        ({"length_ms": (0, 1, 2)}, "length_ms is drawn from .*; give"),
        ({"kind": ("plain", "fancy")}, "kind is drawn from .*; give"),
        ({"kind": ["plain", "odd"]}, "kind is odd"),
    ],
)
def test_ranges_that_a_parameter_cannot_have_are_refused(ranges: dict, sentence: str) -> None:
    with pytest.raises(SequenceError, match=sentence):
        draw(PAUSE, ranges, seed=1, count=1)
