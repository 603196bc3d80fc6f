"""Ranges, samples and lists of a tissue's numbers become batches, and impossible ones a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spinloom.errors import TissueError
from spinloom.tissue.addresses import with_value
from spinloom.tissue.batches import TissueBatch, plan_batch
from spinloom.tissue.files import load_mapping
from spinloom.tissue.pool_model import tissue_from_mapping

POOLS = load_mapping("wm_3t_7pool")


def varied(changes: dict[str, Any], samples: int | None = None, seed: int = 0) -> TissueBatch:
    """The white matter with `changes` by address."""
    mapping: dict[str, Any] = POOLS
    for address, value in changes.items():
        mapping = with_value(mapping, address, value)
    return plan_batch(mapping, "wm", samples).build(seed)


def columns(batch: TissueBatch) -> dict[str, np.ndarray]:
    return {parameter.address: parameter.values for parameter in batch.parameters}


def test_without_ranges_it_is_the_one_tissue() -> None:
    batch = varied({})
    assert batch.parameters == ()
    assert batch.tissue.batch_shape == ()
    assert torch.equal(batch.tissue.water.t1, tissue_from_mapping(POOLS, "wm").water.t1)


def test_a_range_stops_before_its_end_as_pythons_does() -> None:
    assert columns(varied({"water_pool.t1": "range(0.8, 1.6, 0.1)"}))["water_pool.t1"] == pytest.approx(
        [0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
    )
    assert columns(varied({"b0": "range(7, 1, -3)"}))["b0"].tolist() == [7, 4]


@given(st.integers(-50, 50), st.integers(1, 60), st.integers(1, 9))
def test_a_range_of_tenths_has_the_values_of_a_range_of_whole_numbers(start: int, length: int, step: int) -> None:
    text = f"range({start / 10!r}, {(start + length) / 10!r}, {step / 10!r})"
    values = columns(varied({"b0_inhom": text}))["b0_inhom"]
    np.testing.assert_allclose(10 * values, list(range(start, start + length, step)), atol=1e-9)


def test_linspace_holds_both_ends_and_choice_what_it_names() -> None:
    assert columns(varied({"water_pool.t2": "linspace(0.04, 0.08, 5)"}))["water_pool.t2"] == pytest.approx(
        [0.04, 0.05, 0.06, 0.07, 0.08]
    )
    assert columns(varied({"mt_pool.f": "choice(0.018, 15 / 111)"}))["mt_pool.f"].tolist() == [0.018, 15 / 111]


def test_several_ranges_make_a_grid_whose_last_changes_fastest() -> None:
    batch = varied({"cest_pool.amide.k": "choice(30, 60, 90)", "water_pool.t1": "choice(1, 2)"})
    assert columns(batch)["water_pool.t1"].tolist() == [1, 1, 1, 2, 2, 2]
    assert columns(batch)["cest_pool.amide.k"].tolist() == [30, 60, 90, 30, 60, 90]
    assert batch.tissue.exchanging[0].k.tolist() == [30, 60, 90, 30, 60, 90]
    assert batch.tissue.water.t2.tolist() == [0.04] * 6


def test_lists_vary_together_and_multiply_with_what_else_varies() -> None:
    batch = varied({"water_pool.t1": [1, "1.5"], "water_pool.t2": [0.04, "62e-3"], "b0_inhom": "choice(0, 0.1)"})
    assert columns(batch)["water_pool.t2"].tolist() == [0.04, 0.04, 0.062, 0.062]
    assert columns(batch)["b0_inhom"].tolist() == [0, 0.1, 0, 0.1]
    assert batch.tissue.water.t1.tolist() == [1, 1, 1.5, 1.5]


def test_draws_are_the_seeds_and_no_other_draw_changes_them() -> None:
    both = varied({"water_pool.t1": "uniform(0.8, 1.6)", "mt_pool.k": "loguniform(5, 500)"}, samples=2000, seed=3)
    alone = varied({"water_pool.t1": "uniform(0.8, 1.6)"}, samples=2000, seed=3)
    other = varied({"water_pool.t1": "uniform(0.8, 1.6)"}, samples=2000, seed=4)
    t1, k = columns(both)["water_pool.t1"], columns(both)["mt_pool.k"]
    assert np.array_equal(columns(alone)["water_pool.t1"], t1)
    assert not np.array_equal(columns(other)["water_pool.t1"], t1)
    assert t1.min() > 0.8
    assert t1.max() < 1.6
    assert np.mean(t1) == pytest.approx(1.2, abs=0.03)  # 6 standard errors
    assert np.mean(np.log(k)) == pytest.approx(np.log(50), abs=0.18)  # 6 standard errors
    assert abs(np.corrcoef(t1, k)[0, 1]) < 0.13


def test_every_tissue_of_a_batch_is_the_tissue_read_alone() -> None:
    batch = varied({"water_pool.r2": "choice(10, 20)", "water_pool.t2": None, "gamma": "choice(267.5, 267.6)"})
    for index, (gamma, r2) in enumerate([(267.5, 10), (267.5, 20), (267.6, 10), (267.6, 20)]):
        mapping = with_value(with_value(POOLS, "water_pool.t2", None), "water_pool.r2", r2)
        alone = tissue_from_mapping({**mapping, "gamma": gamma}, "one")
        assert batch.tissue.water.t2[index] == alone.water.t2
        assert batch.tissue.gamma[index] == alone.gamma


def test_parameters_know_their_units_and_meaning() -> None:
    batch = varied({"water_pool.t1": "choice(1, 2)", "cest_pool.amide.f": "choice(0.001, 0.002)", "b0": "choice(3, 7)"})
    told = {parameter.address: (parameter.unit, parameter.meaning) for parameter in batch.parameters}
    assert told == {
        "water_pool.t1": ("s", "longitudinal relaxation"),
        "cest_pool.amide.f": ("1", "proton fraction relative to water"),
        "b0": ("T", "static field"),
    }
    rate = varied({"water_pool.r1": "choice(1, 2)", "water_pool.t1": None}).parameters[0]
    assert rate.unit == "1/s"


def test_pairs_of_pools_several_semisolid_pools_and_t2star_can_vary_too() -> None:
    mapping = {
        "water_pool": {"t1": 1, "t2": 0.08, "t2star": "choice(0.03, 0.05)"},
        "mt_pool": {
            "a": {"f": 0.08, "t1": 1, "t2": 1e-5, "k": "choice(20, 30)", "dw": 0, "lineshape": "Gaussian"},
            "b": {"f": 0.04, "t1": 1, "t2": 1e-5, "k": 40, "dw": 0, "lineshape": "Gaussian"},
        },
        "exchange": {"a-b": {"k": "choice(5, 10)"}},
        "b0": 3,
    }
    plan = plan_batch(mapping, "myelin")
    assert plan.spins == 100
    batch = plan.build()
    assert list(columns(batch)) == ["water_pool.t2star", "mt_pool.a.k", "exchange.a-b.k"]
    assert batch.tissue.semisolid[0].k.tolist() == [20, 20, 30, 30] * 2
    assert batch.tissue.exchange[0].k.tolist() == [5, 10] * 4


BAD_RANGES = {
    "a range that is empty": ("range(1.6, 0.8, 0.1)", ["'range(1.6, 0.8, 0.1)'", "is empty", "sign of the step"]),
    "a range from a number to itself": ("range(1, 1, 0.1)", ["is empty"]),
    "a step of the wrong sign": ("range(0.8, 1.6, -0.1)", ["is empty", "-0.1"]),
    "a step of zero": ("range(0.8, 1.6, 0)", ["whose step is 0"]),
    "too few numbers": ("range(0.8)", ["range takes 3 numbers: range(start, stop, step)"]),
    "no number": ("range(a, b, c)", ["an argument of range is 'a'", "finite number"]),
    "a half number of values": ("linspace(0, 1, 2.5)", ["is 2.5; it is a whole number from 1"]),
    "an interval that is empty": ("uniform(2, 1)", ["is empty", "lower end"]),
    "a logarithm of zero": ("loguniform(0, 1)", ["above zero"]),
    "an unknown distribution": ("unifrom(0, 1)", ["'unifrom(0, 1)'", "Did you mean 'uniform'?"]),
    "values that the key refuses": ("range(-1, 1, 0.5)", ["'water_pool.t1[0]' is -1.0", "above zero"]),
    "an empty list": ([], ["is an empty list"]),
}


@pytest.mark.parametrize(("written", "expected"), BAD_RANGES.values(), ids=BAD_RANGES.keys())
def test_a_bad_range_names_itself_and_the_way_out(written: object, expected: list[str]) -> None:
    with pytest.raises(TissueError) as refusal:
        varied({"water_pool.t1": written})
    assert "'water_pool.t1" in str(refusal.value)
    assert all(words in str(refusal.value) for words in expected), refusal.value


def test_samples_and_draws_need_each_other() -> None:
    with pytest.raises(TissueError, match=r"'water_pool.t1' is drawn; say how many tissues, such as samples=1000"):
        varied({"water_pool.t1": "uniform(1, 2)"})
    with pytest.raises(TissueError, match="samples=50 draws nothing"):
        varied({"water_pool.t1": "choice(1, 2)"}, samples=50)
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(TissueError, match=r"samples is .*; it is a whole number from 1"):
            varied({"water_pool.t1": "uniform(1, 2)"}, samples=wrong)  # type: ignore[arg-type]


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(TissueError, match=r"lists 3 values, but '.*' lists 2"):
        varied({"b0": [3, 7], "water_pool.t1": [1, 2, 3]})


def test_a_plan_knows_its_size_without_being_built() -> None:
    mapping = with_value(with_value(POOLS, "water_pool.t1", "range(0, 1, 1e-9)"), "b0", "uniform(3, 7)")
    assert plan_batch(mapping, "wm", samples=1000).tissues == 10**12
