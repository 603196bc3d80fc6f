"""Pool models that are incomplete, misspelt or impossible: each refusal names key, value and way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from spinloom.errors import TissueError
from spinloom.tissue.pool_model import tissue_from_mapping

Change = Callable[..., dict[str, Any]]
Refusal = Callable[..., str]


@pytest.fixture
def refusal(changed: Change) -> Refusal:
    """The message that refuses the complete model after changes."""

    def refuse(*changes: tuple[str, Any]) -> str:
        with pytest.raises(TissueError) as caught:
            tissue_from_mapping(changed(*changes), "brain")
        return str(caught.value)

    return refuse


@pytest.mark.parametrize(
    ("place", "nearest"),
    [
        ("cest_pool.amide.kk", "k"),
        ("water_pool.T1", "t1"),
        ("mt_pool.line_shape", "lineshape"),
        ("b0_inhomo", "b0_inhom"),
        ("cest_pools", "cest_pool"),
    ],
)
def test_an_unknown_key_is_refused_with_its_place_and_the_nearest_known_one(
    refusal: Refusal, place: str, nearest: str
) -> None:
    message = refusal((place, 1.0))
    assert message.startswith(f"Tissue 'brain': '{place}' is not a known key.")
    assert f"Did you mean '{nearest}'?" in message


def test_water_has_no_exchange_rate(refusal: Refusal) -> None:
    assert "'water_pool.k' is not a known key" in refusal(("water_pool.k", 30))


@pytest.mark.parametrize(
    ("place", "example"),
    [
        ("b0", "b0: 3"),
        ("water_pool", "water_pool: {f: 1.0, t1: 1.2, t2: 0.07}"),
        ("water_pool.t2", "t2: 0.07"),
        ("mt_pool.f", "f: 0.1 / 111"),
        ("cest_pool.noe.k", "k: 50"),
        ("cest_pool.amide.dw", "dw: 3.5"),
    ],
)
def test_a_missing_key_is_named_with_an_example(refusal: Refusal, place: str, example: str) -> None:
    message = refusal((place, ...))
    assert f"'{place}' is missing" in message
    assert f"'{example}'" in message


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param("water_pool.t1", -1.2, id="negative T1"),
        pytest.param("water_pool.t2", 0, id="T2 of zero"),
        pytest.param("water_pool.f", 0, id="no water"),
        pytest.param("cest_pool.amide.r1", 0, id="rate of zero"),
        pytest.param("cest_pool.amide.r2", -1, id="negative rate"),
        pytest.param("cest_pool.amide.f", -0.001, id="negative fraction"),
        pytest.param("mt_pool.k", "-29", id="negative exchange rate"),
        pytest.param("b0", 0, id="no field"),
        pytest.param("gamma", "-267.5", id="negative gyromagnetic ratio"),
        pytest.param("rel_b1", -0.5, id="negative transmit field"),
    ],
)
def test_an_impossible_value_is_refused_with_place_value_bound_and_example(
    refusal: Refusal, place: str, value: object
) -> None:
    message = refusal((place, value))
    assert message.startswith(f"Tissue 'brain': '{place}' is {value!r}, but must be finite and ")
    assert re.search(r"(above|not below) zero \(.*\); give for example '\w+: .*'\.$", message)


def test_a_value_that_the_number_type_cannot_hold_is_refused(changed: Change) -> None:
    mapping = changed(("water_pool.t2", 1e-60))
    assert tissue_from_mapping(mapping, "brain").water.t2 == 1e-60
    with pytest.raises(TissueError, match=r"'water_pool.t2' is 1e-60, but must be finite and above zero"):
        tissue_from_mapping(mapping, "brain", dtype=torch.float32)


def test_one_bad_value_of_a_list_is_named_by_its_index(refusal: Refusal) -> None:
    assert "'water_pool.t1[2]' is 0, but must be" in refusal(("water_pool.t1", [1, 2, 0]))
    assert "'cest_pool.noe.dw[1]' is 'x', but must be a finite number" in refusal(("cest_pool.noe.dw", [1, "x"]))


def test_lists_of_different_length_are_refused_with_both_named(refusal: Refusal) -> None:
    message = refusal(("water_pool.t1", [1, 2, 3]), ("cest_pool.noe.k", [1, 2]))
    assert "'cest_pool.noe.k' lists 2 values, but Tissue 'brain': 'water_pool.t1' lists 3" in message
    assert "need the same length" in message


def test_an_empty_list_is_refused(refusal: Refusal) -> None:
    assert "'b0' is an empty list; give a number, or one number a tissue" in refusal(("b0", []))


@pytest.mark.parametrize(
    ("place", "other"),
    [("cest_pool.amide.t1", "r1"), ("cest_pool.noe.r2", "t2"), ("relb1", "rel_b1"), ("b0_inhomogeneity", "b0_inhom")],
)
def test_a_name_and_its_alias_together_are_refused(refusal: Refusal, place: str, other: str) -> None:
    message = refusal((place, 1.0))
    assert place.rpartition(".")[2] in message
    assert f"{other}'" in message
    assert "keep one of the two" in message


@pytest.mark.parametrize("written", [..., None])
def test_a_semisolid_pool_without_lineshape_is_told_the_choices(refusal: Refusal, written: object) -> None:
    message = refusal(("mt_pool.lineshape", written))
    assert "'mt_pool.lineshape' is missing" in message
    assert "gaussian, lorentzian, none, superlorentzian" in message


def test_an_unknown_lineshape_is_told_the_nearest(refusal: Refusal) -> None:
    assert "Did you mean 'superlorentzian'?" in refusal(("mt_pool.lineshape", "Super-Lorentzian"))


def test_a_pool_without_name_is_told_that_pools_have_names(refusal: Refusal) -> None:
    message = refusal(("cest_pool", {"f": 0.001, "t1": 1, "t2": 0.1, "k": 50, "dw": 3.5}))
    assert "'cest_pool.f' is 0.001, but 'cest_pool' holds pools by name" in message
    assert "cest_pool: {amide: {f: 0.001" in message


@pytest.mark.parametrize("place", ["water_pool", "mt_pool", "cest_pool"])
def test_a_section_that_is_a_number_is_told_its_shape(refusal: Refusal, place: str) -> None:
    assert f"'{place}' is 3, but must hold keys with values" in refusal((place, 3))


@pytest.mark.parametrize("place", ["reset_init_mag", "verbose"])
def test_a_switch_that_is_none_is_refused(refusal: Refusal, place: str) -> None:
    assert f"'{place}' is 'perhaps', but must be true or false" in refusal((place, "perhaps"))


def test_a_sampling_that_is_none_is_refused(refusal: Refusal) -> None:
    assert "'max_pulse_samples' is 0.5, but must be a whole number" in refusal(("max_pulse_samples", 0.5))
