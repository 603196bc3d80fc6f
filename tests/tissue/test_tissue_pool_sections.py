"""Semisolid pools by name and as a whole, pairs that exchange beside water, and T2*: read, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spinloom.errors import TissueError
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

Change = Callable[..., dict[str, Any]]

MYELIN = {"f": 0.08, "t1": 1.0, "t2": 12e-6, "k": 20, "dw": -2.0, "lineshape": "SuperLorentzian"}
REST = {"f": 0.04, "t1": 1.0, "t2": 10e-6, "k": 40, "dw": 0.0, "lineshape": "Gaussian"}
WHOLE = {"f": 0.1, "t1": 1.0, "t2": 1e-4, "k": 30, "dw": -3.0, "components": 3}


@pytest.fixture
def read(changed: Change) -> Callable[..., Tissue]:
    """The complete model with changes, as a tissue."""
    return lambda *changes: tissue_from_mapping(changed(*changes), "brain")


@pytest.fixture
def refusal(read: Callable[..., Tissue]) -> Callable[..., str]:
    """The message that refuses the complete model with changes."""

    def refuse(*changes: tuple[str, Any]) -> str:
        with pytest.raises(TissueError) as caught:
            read(*changes)
        return str(caught.value)

    return refuse


def test_several_semisolid_pools_stand_under_their_names(read) -> None:
    tissue = read(("mt_pool", {"myelin": MYELIN, "rest": REST}))
    assert [(pool.name, pool.lineshape, float(pool.f)) for pool in tissue.semisolid] == [
        ("myelin", "superlorentzian", 0.08),
        ("rest", "gaussian", 0.04),
    ]


@pytest.mark.parametrize("lineshape", [{}, {"lineshape": "Lorentzian"}], ids=["no lineshape", "Lorentzian"])
def test_a_semisolid_pool_of_three_components_is_solved_like_a_solute(read, lineshape) -> None:
    tissue = read(("mt_pool", WHOLE | lineshape))
    assert [pool.name for pool in tissue.exchanging] == ["mt", "amide", "noe"]
    assert tissue.semisolid == ()
    assert float(tissue.exchanging[0].t2) == 1e-4


def test_pairs_of_pools_exchange_at_their_rates(read) -> None:
    tissue = read(("exchange", {"amide-mt": {"k": 20}, "noe-amide": {"k": [1, 2]}}))
    assert [(pair.first, pair.second, pair.k.tolist()) for pair in tissue.exchange] == [
        ("amide", "mt", [20, 20]),
        ("noe", "amide", [1, 2]),
    ]


def test_a_hyphen_may_stand_in_the_name_of_a_pool(read) -> None:
    noe = {"f": 0.004, "t1": 1.3, "t2": 0.005, "k": 20, "dw": -3.0}
    tissue = read(("cest_pool", {"noe-1": noe, "noe-2": noe}), ("exchange", {"noe-1-noe-2": {"k": 3}}))
    assert (tissue.exchange[0].first, tissue.exchange[0].second) == ("noe-1", "noe-2")


def test_t2star_comes_with_a_hundred_isochromats_or_as_many_as_are_asked_for(read) -> None:
    assert read(("water_pool.t2star", 0.03)).isochromats.count == 100
    asked = read(("water_pool.t2star", 0.03), ("water_pool.isochromats", 7)).isochromats
    assert (float(asked.t2star), asked.count) == (0.03, 7)
    assert read(("water_pool.isochromats", 1)).isochromats is None
    assert read().isochromats is None


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        pytest.param([("mt_pool", WHOLE | {"components": 2})], ["'mt_pool.components' is 2", "1 component"], id="2"),
        pytest.param(
            [("mt_pool", WHOLE | {"lineshape": "Gaussian"})],
            ["'mt_pool.lineshape' is 'Gaussian'", "absorbs as a Lorentzian", "remove the lineshape"],
            id="a whole pool with a lineshape",
        ),
        pytest.param(
            [("cest_pool.mt", {"f": 0.1, "t1": 1, "t2": 1, "k": 1, "dw": 1})],
            ["'cest_pool.mt' and 'mt_pool' both name a pool 'mt'", "another name"],
            id="two pools of one name",
        ),
        pytest.param(
            [("mt_pool", {"myelin": MYELIN, "rest": {**REST, "g": 1}})],
            ["'mt_pool.rest.g' is not a known key"],
            id="an unknown key in a named pool",
        ),
        pytest.param(
            [("exchange", {"amide-amid": {"k": 1}})],
            ["'exchange.amide-amid' names no pair", "'amide-mt'", "Known: amide, mt, noe"],
            id="an unknown partner",
        ),
        pytest.param([("exchange", {"amide": {"k": 1}})], ["'exchange.amide' names no pair"], id="one partner"),
        pytest.param(
            [("exchange", {"noe-noe": {"k": 1}})], ["'exchange.noe-noe' pairs a pool with itself", "two"], id="self"
        ),
        pytest.param(
            [("exchange", {"noe-mt": {"k": 1}, "mt-noe": {"k": 2}})],
            ["'exchange.mt-noe' and 'noe-mt' are one pair", "keep one"],
            id="one pair twice",
        ),
        pytest.param(
            [("exchange", {"water-mt": {"k": 1}})], ["'exchange.water-mt' names water", "own 'k'"], id="water"
        ),
        pytest.param([("exchange", {"noe-mt": {}})], ["'exchange.noe-mt.k' is missing", "'k: 20'"], id="no rate"),
        pytest.param(
            [("exchange", {"noe-mt": {"k": -1}})], ["'exchange.noe-mt.k' is -1", "not below zero"], id="k < 0"
        ),
        pytest.param(
            [("exchange", {"noe-amide": {"k": 1}}), ("cest_pool.amide.f", 0)],
            ["'exchange.noe-amide' exchanges with pool 'amide' of fraction 0", "above zero"],
            id="an empty second pool",
        ),
        pytest.param(
            [("water_pool.t2star", 0.08)], ["'water_pool.t2star' is 0.08, longer than t2", "at most t2"], id="long T2*"
        ),
        pytest.param(
            [("water_pool.isochromats", 5)],
            ["'water_pool.isochromats' is 5, but no T2*", "'t2star: 0.033'"],
            id="isochromats without T2*",
        ),
        pytest.param(
            [("water_pool.t2star", 0.03), ("water_pool.isochromats", 0)],
            ["'water_pool.isochromats' is 0, but must be a whole number from 1"],
            id="no isochromats",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_place_value_and_way_out(refusal, changes, parts) -> None:
    message = refusal(*changes)
    assert message.startswith("Tissue 'brain': ")
    for part in parts:
        assert part in message
