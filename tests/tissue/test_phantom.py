"""A phantom is one grid with a place, and refuses what no spin could be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from spinloom.errors import TissueError
from spinloom.tissue.files import read_tissue
from spinloom.tissue.phantom import Phantom, PoolMap

SHAPE = (2, 3, 4)


@pytest.fixture
def whole() -> Phantom:
    """A small phantom with everything that one can have."""
    ones = torch.ones(SHAPE, dtype=torch.float64)
    return Phantom(
        name="small",
        fov=(0.4, 0.3, 0.2),
        m0=ones,
        t1=ones,
        t2=0.1 * ones,
        b0=0 * ones,
        b1=ones,
        coils=torch.ones((3, *SHAPE), dtype=torch.complex128),
        t2_prime=torch.inf * ones,
        pools=PoolMap(read_tissue("brain_3t_7pool"), torch.zeros(SHAPE, dtype=torch.int64)),
        centre=(0.01, 0.0, -0.02),
    )


def test_the_middle_voxel_stands_at_the_centre_for_even_and_odd_counts(whole: Phantom) -> None:
    assert whole.voxel == pytest.approx((0.1, 0.1, 0.1))
    assert whole.positions("x")[2] == 0.01  # of four
    assert whole.positions("y")[1] == 0.0  # of three
    assert whole.positions("z").tolist() == pytest.approx([-0.12, -0.02])


def test_everything_moves_to_another_precision(whole: Phantom) -> None:
    single = whole.to(torch.float32, torch.device("cpu"))
    assert {value.dtype for value in (single.m0, single.t2, single.b1, single.t2_prime)} == {torch.float32}
    assert single.coils is not None
    assert single.coils.dtype == torch.complex64
    assert single.pools is not None
    assert single.pools.tissue.water.t1.dtype == torch.float32
    assert single.pools.index.dtype == torch.int64


def put(value: Any, at: tuple[int, ...] = (0, 0, 0)) -> Callable[[torch.Tensor], torch.Tensor]:
    def change(values: torch.Tensor) -> torch.Tensor:
        changed = values.clone()
        changed[at] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("field", "change", "reason"),
    [
        ("t2", put(0.0), "t2 .* is not positive in 1 voxels where there is magnetisation"),
        ("t1", put(float("nan")), "t1 .* holds 1 voxels that are not finite; fill them"),
        ("b0", put(float("inf")), "b0 .* holds 1 voxels that are not finite"),
        ("t2_prime", put(-float("inf")), "t2_prime .* holds 1 voxels that are not finite"),
        ("m0", put(-1.0), "m0 .* is negative in 1 voxels"),
        ("b1", lambda values: values[..., :-1], r"b1 .* has the shape \(2, 3, 3\), but m0 has \(2, 3, 4\)"),
        ("t1", lambda values: values.float(), "t1 .* of torch.float32 .*, but m0 is of torch.float64"),
        ("coils", lambda values: values.real, "coils .* give it as torch.complex128"),
        ("coils", lambda values: values[:0], "no coil on its coil axis"),
        ("coils", lambda values: values[:, :1], r"coils \(after its first axis\) .* all maps lie on one grid"),
        ("coils", put(float("nan"), (0, 0, 0, 0)), "coils .* not finite"),
        ("fov", lambda fov: (*fov[:2], 0.0), "three positive lengths in metres"),
        ("centre", lambda centre: (float("nan"), *centre[1:]), "three lengths in metres"),
    ],
)
def test_a_map_that_cannot_be_is_refused_by_name(
    whole: Phantom, field: str, change: Callable[[Any], Any], reason: str
) -> None:
    with pytest.raises(TissueError, match=reason):
        replace(whole, **{field: change(getattr(whole, field))})


def test_what_is_not_there_needs_no_time(whole: Phantom) -> None:
    replace(whole, m0=0 * whole.m0, t2=0 * whole.t2)


@pytest.mark.parametrize(
    ("tissue", "index", "names", "reason"),
    [
        ("brain_3t_7pool", 4, (), "runs from 4 to 4, but its batch holds 4 tissues"),
        ("brain_3t_7pool", -2, (), "runs from -2 to -2"),
        ("brain_3t_7pool", 0, ("one",), "have 1 names for 4 tissues"),
        ("water_3t", 0, (), r"are a batch of shape \(\)"),
    ],
)
def test_pools_that_point_nowhere_are_refused(
    whole: Phantom, tissue: str, index: int, names: tuple[str, ...], reason: str
) -> None:
    pools = PoolMap(read_tissue(tissue), torch.full(SHAPE, index), names)
    with pytest.raises(TissueError, match=reason):
        replace(whole, pools=pools)
