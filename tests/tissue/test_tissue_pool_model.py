"""From mappings to tissues: names, aliases, defaults, units and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import LINESHAPES, Tissue

Change = Callable[..., dict[str, Any]]
Tensors = Callable[[Tissue], list[torch.Tensor]]
Facts = Callable[[Tissue], tuple[object, ...]]


def test_every_number_arrives_in_si_units(changed: Change) -> None:
    tissue = tissue_from_mapping(changed(), "brain")
    (semisolid,), (amide, noe) = tissue.semisolid, tissue.exchanging
    assert (tissue.name, tissue.batch_shape, tissue.reset, tissue.max_pulse_samples) == ("brain", (), False, 300)
    assert (tissue.water.f, tissue.water.t1, tissue.water.t2) == (1.0, 1.2, 0.07)
    assert (semisolid.name, semisolid.f, semisolid.t2, semisolid.lineshape) == ("mt", 11.2 / 111, 63e-6, "lorentzian")
    assert (amide.name, amide.t1, amide.t2, amide.k, amide.shift_ppm) == ("amide", 0.5, 0.1, 50, 3.5)
    assert (noe.name, noe.t1, noe.t2) == ("noe", 1.3, 0.005)
    assert (tissue.b0, tissue.b0_shift_ppm, tissue.rel_b1, tissue.initial_scale) == (3.0, 0.1, 0.9, 0.5)
    assert float(tissue.gamma) == pytest.approx(267.5153e6, rel=1e-15)


def test_missing_optional_keys_take_their_defaults() -> None:
    tissue = tissue_from_mapping({"water_pool": {"t1": 1.2, "t2": 0.07}, "b0": 3}, "water")
    assert (tissue.exchanging, tissue.semisolid) == ((), ())
    assert (tissue.water.f, tissue.b0_shift_ppm, tissue.rel_b1, tissue.initial_scale) == (1.0, 0.0, 1.0, 1.0)
    assert (tissue.reset, tissue.max_pulse_samples) == (True, 500)
    assert float(tissue.gamma) == pytest.approx(267.5153e6, rel=1e-15)


@pytest.mark.parametrize("empty", [None, {}])
def test_pools_that_hold_nothing_are_no_pools(changed: Change, empty: object) -> None:
    tissue = tissue_from_mapping(changed(("mt_pool", empty), ("cest_pool", empty)), "water")
    assert (tissue.exchanging, tissue.semisolid) == ((), ())


@pytest.mark.parametrize(
    ("name", "alias", "value"),
    [("b0_inhom", "b0_inhomogeneity", -0.3), ("rel_b1", "relb1", 1.1)],
)
def test_an_alias_says_the_same_as_the_name(changed: Change, facts: Facts, name: str, alias: str, value: float) -> None:
    by_name, by_alias = changed((name, value)), changed((name, ...), (alias, value))
    assert facts(tissue_from_mapping(by_name, "brain")) == facts(tissue_from_mapping(by_alias, "brain"))


@given(st.floats(1e-6, 1e6))
def test_a_rate_is_the_reciprocal_of_a_time(changed: Change, rate: float) -> None:
    mapping = changed(("water_pool.t1", ...), ("water_pool.r1", rate))
    assert float(tissue_from_mapping(mapping, "brain").water.t1) == 1 / rate


@pytest.mark.parametrize("name", LINESHAPES)
def test_lineshapes_are_read_in_any_case(changed: Change, name: str) -> None:
    for written in (name, name.upper(), name.capitalize()):
        assert tissue_from_mapping(changed(("mt_pool.lineshape", written)), "brain").semisolid[0].lineshape == name


def test_lists_make_a_batch_and_single_numbers_hold_for_all_of_it(changed: Change, tensors: Tensors) -> None:
    mapping = changed(("water_pool.t1", [0.9, "1.0", "9 / 8"]), ("cest_pool.amide.r2", [10, 20, 40]))
    tissue = tissue_from_mapping(mapping, "brain", dtype=torch.float32)
    shapes = {tensor.shape for tensor in tensors(tissue)}
    assert (shapes, {tensor.dtype for tensor in tensors(tissue)}) == ({(3,)}, {torch.float32})
    assert tissue.water.t1.tolist() == pytest.approx([0.9, 1.0, 1.125], rel=1e-7)
    assert tissue.exchanging[0].t2.tolist() == pytest.approx([0.1, 0.05, 0.025], rel=1e-7)
    assert tissue.b0.tolist() == [3.0, 3.0, 3.0]


def test_a_batch_holds_the_tissues_that_its_rows_describe(changed: Change, facts: Facts) -> None:
    times = [0.9, 1.0, 1.125]
    batch = tissue_from_mapping(changed(("water_pool.t1", times)), "brain")
    for row, time in enumerate(times):
        single = tissue_from_mapping(changed(("water_pool.t1", [time])), "brain")
        assert facts(batch[row : row + 1]) == facts(single)
