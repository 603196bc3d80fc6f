"""Every kind of pool and exchange against the independent ODE, and laws that hold for any mixture of them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinloom.errors import RequirementError, TissueError
from spinloom.physics.bloch_mcconnell import Layout, equilibrium, generator
from spinloom.physics.engine import solve_pools
from spinloom.testing.reference import reference_signal
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Exchange, Tissue

ODE = 1e-8
"""The reference integrates with a relative tolerance of 1e-11 a step; hundreds of steps leave about 1e-9."""

REFERENCE_LINESHAPES = ("gaussian", "lorentzian", "none", "superlorentzian")

shifts = st.floats(-5, 5)
solutes = st.fixed_dictionaries(
    {
        "f": st.floats(1e-3, 0.1),
        "t1": st.floats(0.3, 3),
        "t2": st.floats(5e-3, 0.5),
        "k": st.floats(0, 1000),
        "dw": shifts,
    }
)
bound = {"f": st.floats(0.02, 0.2), "t1": st.floats(0.3, 3), "k": st.floats(0, 80), "dw": shifts}
z_only = st.fixed_dictionaries(
    bound | {"t2": st.floats(8e-6, 5e-5), "lineshape": st.sampled_from(REFERENCE_LINESHAPES)}
)
whole = st.fixed_dictionaries(bound | {"t2": st.floats(5e-4, 2e-3), "components": st.just(3)})


@st.composite
def models(draw: st.DrawFn) -> dict:
    """Up to two solutes and two semisolid pools of any kind, with exchange between any pairs of them."""
    cest = draw(st.lists(solutes, max_size=2))
    mt = draw(st.lists(z_only | whole, max_size=2))
    names = [*(f"c{i}" for i in range(len(cest))), *(f"m{i}" for i in range(len(mt)))]
    pairs = [f"{one}-{other}" for one, other in itertools.permutations(names, 2)]
    chosen = (
        draw(st.lists(st.sampled_from(pairs), max_size=3, unique_by=lambda pair: frozenset(pair.split("-"))))
        if pairs
        else []
    )
    return {
        "water_pool": {"t1": draw(st.floats(0.5, 3)), "t2": draw(st.floats(0.02, 1))},
        "cest_pool": {f"c{i}": pool for i, pool in enumerate(cest)},
        "mt_pool": {f"m{i}": pool for i, pool in enumerate(mt)},
        "exchange": {pair: {"k": draw(st.floats(0, 200))} for pair in chosen},
        "b0": draw(st.sampled_from([1.5, 3, 9.4])),
        "b0_inhom": draw(st.floats(-0.5, 0.5)),
        "rel_b1": draw(st.floats(0.5, 1.5)),
        "scale": draw(st.floats(-1, 1)),
        "reset_init_mag": draw(st.booleans()),
    }


tissues = models().map(lambda model: tissue_from_mapping(model, "random"))
pulses = st.tuples(st.floats(1e-3, 1e-2), st.floats(0, 200), st.floats(-600, 600), st.floats(-3, 3))


@given(tissue=tissues, train=st.lists(pulses, min_size=1, max_size=2), delay=st.floats(1e-3, 0.05), spoil=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_tissue_under_any_train_agrees_with_the_ode(tissue, train, delay, spoil) -> None:
    parts = []
    for duration, amplitude, frequency, phase in train:
        parts += [block_pulse(duration, amplitude, frequency, phase), delay]
    parts += [*[SPOILER] * spoil, MARKER, block_pulse(1e-3, 100.0), MARKER]
    timeline = timeline_of(parts)
    solved = solve_pools(timeline, tissue, cells="all")
    mz, mxy = reference_signal(timeline, tissue)
    assert np.abs(solved.mz.numpy() - mz).max() <= ODE
    assert np.abs(solved.mxy.numpy() - mxy).max() <= ODE


@given(tissues)
@settings(max_examples=50, deadline=None)
def test_equilibrium_is_a_fixed_point_whatever_exchanges(tissue: Tissue) -> None:
    matrix = generator(tissue, torch.tensor(100.0, dtype=torch.float64))
    assert float((matrix @ equilibrium(tissue)).abs().max()) <= 1e-12 * max(1.0, float(matrix.abs().max()))


@given(tissues)
@settings(max_examples=50, deadline=None)
def test_no_net_magnetisation_flows_between_any_two_pools_at_equilibrium(tissue: Tissue) -> None:
    layout, matrix = Layout.of(tissue), generator(tissue, torch.tensor(0.0, dtype=torch.float64))
    flows = matrix[layout.z, layout.z] * equilibrium(tissue)[layout.z]
    net = flows - flows.T
    assert float(net.abs().max()) <= 1e-12 * max(1.0, float(flows.abs().max()))


@given(tissues)
@settings(max_examples=50, deadline=None)
def test_exchange_moves_every_component_without_loss(tissue: Tissue) -> None:
    """Columns of the matrix sum to what relaxes there: what leaves one pool arrives in another."""
    layout, matrix = Layout.of(tissue), generator(tissue, torch.tensor(0.0, dtype=torch.float64))
    every = (tissue.water, *tissue.exchanging, *tissue.semisolid)
    transverse = torch.stack([1 / pool.t2 for pool in every[: layout.pools]])
    for part, rates in ((layout.x, transverse), (layout.z, torch.stack([1 / pool.t1 for pool in every]))):
        lost = matrix[part, part].sum(dim=0) + rates
        assert float(lost.abs().max()) <= 1e-12 * max(1.0, float(matrix.abs().max()))


def model(**changes: object) -> dict:
    pool = {"f": 0.1, "t1": 1.0, "t2": 0.01, "k": 30, "dw": 2.0}
    return {"water_pool": {"t1": 1.5, "t2": 0.08}, "cest_pool": {"amide": pool}, "b0": 3} | changes


def test_a_pair_with_a_z_only_pool_exchanges_mz_alone_and_other_pairs_everything() -> None:
    bound = {"f": 0.1, "t1": 1.0, "t2": 1e-5, "k": 0, "dw": 0, "lineshape": "none"}

    def difference(mt: dict) -> torch.Tensor:
        with_pair, without = (
            generator(
                tissue_from_mapping(model(mt_pool=mt, exchange=pairs), "x"), torch.tensor(0.0, dtype=torch.float64)
            )
            for pairs in ({"amide-mt": {"k": 7}}, {})
        )
        return with_pair - without

    z_only = difference(bound)
    assert int((z_only != 0).sum()) == 4
    whole = difference({key: value for key, value in bound.items() if key != "lineshape"} | {"components": 3})
    assert int((whole != 0).sum()) == 12


def test_a_relay_saturates_water_through_a_pool_that_water_does_not_meet() -> None:
    """A labelled pool without exchange with water dims it through its partner, and not without the pair."""
    pools = {
        "relay": {"f": 0.05, "t1": 1.0, "t2": 0.01, "k": 40, "dw": 0.5},
        "hidden": {"f": 0.02, "t1": 1.0, "t2": 0.01, "k": 0, "dw": 5.0},
    }

    def mz(exchange: dict, offset: float) -> float:
        tissue = tissue_from_mapping(model(cest_pool=pools, exchange=exchange), "relay")
        parts = [block_pulse(3.0, 20.0, offset * float(tissue.larmor) * 1e-6), MARKER]
        return float(solve_pools(timeline_of(parts), tissue, cells="all").mz)

    pair = {"hidden-relay": {"k": 30}}
    assert mz({}, 5.0) == pytest.approx(mz({}, 5.2), abs=2e-3)  # nothing at 5 ppm but the direct saturation
    assert mz(pair, 5.2) - mz(pair, 5.0) > 0.05


def test_the_order_in_which_a_pair_is_named_only_turns_its_rate() -> None:
    """k f_a / f_b is the rate from b to a."""
    pools = {name: {"f": f, "t1": 1.0, "t2": 0.01, "k": 40, "dw": 1.0} for name, f in (("a", 0.03), ("b", 0.01))}
    one, other = (
        generator(
            tissue_from_mapping(model(cest_pool=pools, exchange=pairs), "x"), torch.tensor(0.0, dtype=torch.float64)
        )
        for pairs in ({"a-b": {"k": 10}}, {"b-a": {"k": 30}})
    )
    assert float((one - other).abs().max()) <= 1e-12


def test_a_whole_pool_of_short_t2_is_its_z_only_lorentzian_with_the_transverse_loss_of_water() -> None:
    """Transverse magnetisation that water gives away is lost at once: k f = 3/s are added to water's R2.

    What remains, 4e-4, is the transverse magnetisation that RF makes in the pool and that water gets back.
    """
    pool = {"f": 0.1, "t1": 1.0, "t2": 2e-5, "k": 30, "dw": 0.0}
    timeline = timeline_of([block_pulse(1.0, 100.0, 2000.0), SPOILER, MARKER])

    def mz(kind: dict, water_r2: float) -> float:
        tissue = model(mt_pool=pool | kind, water_pool={"t1": 1.5, "r2": water_r2})
        return float(solve_pools(timeline, tissue_from_mapping(tissue, "x"), cells="all").mz)

    whole = mz({"components": 3}, 12.5)
    assert mz({"lineshape": "lorentzian"}, 15.5) == pytest.approx(whole, abs=5e-4)
    assert abs(mz({"lineshape": "lorentzian"}, 12.5) - whole) > 1e-3


def test_a_batch_of_rates_gives_what_each_gives_alone() -> None:
    pools = {name: {"f": 0.02, "t1": 1.0, "t2": 0.01, "k": 40, "dw": shift} for name, shift in (("a", 1.0), ("b", 3.0))}
    timeline = timeline_of([block_pulse(0.5, 40.0, 300.0), MARKER])

    def mz(rate: object) -> torch.Tensor:
        tissue = tissue_from_mapping(model(cest_pool=pools, exchange={"a-b": {"k": rate}}), "x")
        return solve_pools(timeline, tissue, cells="all").mz.reshape(-1)

    rates = [0.0, 10.0, 200.0]
    alone = torch.cat([mz(rate) for rate in rates])
    assert float((mz(rates) - alone).abs().max()) <= 1e-12  # exponentials of a batch are scaled alike


def test_a_pair_that_names_no_pool_is_refused_with_those_there_are() -> None:
    tissue = tissue_from_mapping(model(), "brain")
    broken = Tissue(**{**vars(tissue), "exchange": (Exchange("amide", "amine", torch.tensor(1.0)),)})
    with pytest.raises(TissueError, match=r"'brain' exchanges with 'amine', which is no pool.*Known: amide"):
        generator(broken, torch.tensor(0.0, dtype=torch.float64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"water_pool": {"t1": 1, "t2": 0.1, "t2star": 0.05}}, "has T2[*], which the reference does not solve"),
        (
            {"mt_pool": {"f": 0.1, "t1": 1, "t2": 1e-5, "k": 3, "dw": 0, "lineshape": "SuperLorentzian_usual"}},
            "'superlorentzian_usual'; choose another",
        ),
    ],
)
def test_the_reference_refuses_what_it_does_not_solve(changes: dict, message: str) -> None:
    with pytest.raises(RequirementError, match=message):
        reference_signal(timeline_of([block_pulse(0.01, 10.0), MARKER]), tissue_from_mapping(model(**changes), "x"))


def test_two_pools_recover_biexponentially() -> None:
    """Eigenvalues of the two by two matrix of Mz after water is inverted, written out."""
    f, k, r1, r1_bound, delay = 0.15, 20.0, 0.5, 1.5, 0.2
    bound = {"f": f, "t1": 1 / r1_bound, "t2": 1e-5, "k": k, "dw": 0, "lineshape": "none"}
    tissue = tissue_from_mapping(
        {"water_pool": {"t1": 1 / r1, "t2": 0.1}, "mt_pool": bound, "b0": 3, "reset_init_mag": False}, "two pools"
    )
    parts = [block_pulse(1e-9, 0.5e9), *[delay - MARKER.duration, MARKER] * 5]
    mz = solve_pools(timeline_of(parts), tissue, cells="all").mz.numpy()
    leaving, arriving = r1 + k * f, r1_bound + k
    half_sum, product = (leaving + arriving) / 2, leaving * arriving - k * k * f
    root = math.sqrt(half_sum**2 - product)
    slow, fast = half_sum - root, half_sum + root
    start, slope = -2.0, 2.0 * leaving  # of Mz - 1 of water, while the bound pool is at equilibrium
    a_fast = (slope + slow * start) / (slow - fast)
    time = delay * np.arange(1, 6) - MARKER.duration
    expected = 1 + (start - a_fast) * np.exp(-slow * time) + a_fast * np.exp(-fast * time)
    assert np.abs(mz - expected).max() <= 1e-8  # a pulse of 1 ns
