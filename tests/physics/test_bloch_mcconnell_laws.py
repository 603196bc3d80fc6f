"""Laws of the Bloch-McConnell equations that hold whatever the tissue."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spinloom.physics.bloch_mcconnell import Layout, equilibrium, generator, rf_generators
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue, Water

ROUNDING = 1e-12
"""Tolerance for identities of float64 arithmetic on numbers of order one."""


def tensor(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def make_tissue(exchanging=(), semisolid=(), t1=1.0, t2=0.05, b0=3.0, b0_shift=0.0, rel_b1=1.0) -> Tissue:
    return Tissue(
        name="test",
        water=Water(tensor(1.0), tensor(t1), tensor(t2)),
        exchanging=tuple(exchanging),
        semisolid=tuple(semisolid),
        b0=tensor(b0),
        gamma=tensor(267.5153e6),
        b0_shift_ppm=tensor(b0_shift),
        rel_b1=tensor(rel_b1),
        initial_scale=tensor(1.0),
        reset=True,
        max_pulse_samples=500,
    )


def solute(f=0.01, t1=1.0, t2=0.02, k=200.0, shift=3.5) -> ExchangingPool:
    return ExchangingPool("solute", tensor(f), tensor(t1), tensor(t2), tensor(k), tensor(shift))


def macromolecule(f=0.1, t1=1.0, t2=1e-5, k=30.0, shift=-3.0) -> SemisolidPool:
    return SemisolidPool("mt", tensor(f), tensor(t1), tensor(t2), tensor(k), tensor(shift), "lorentzian")


pools = st.builds(
    solute,
    f=st.floats(1e-4, 0.3),
    t1=st.floats(0.1, 5),
    t2=st.floats(1e-4, 2),
    k=st.floats(0, 5000),
    shift=st.floats(-5, 5),
)
tissues = st.builds(
    make_tissue,
    exchanging=st.lists(pools, max_size=4),
    semisolid=st.lists(st.builds(macromolecule, f=st.floats(1e-3, 0.3), k=st.floats(0, 100)), max_size=2),
    t1=st.floats(0.1, 5),
    t2=st.floats(1e-3, 3),
    b0_shift=st.floats(-1, 1),
)


@given(tissues)
@settings(max_examples=50, deadline=None)
def test_equilibrium_is_a_fixed_point_without_rf(tissue: Tissue) -> None:
    drift = generator(tissue, tensor(100.0)) @ equilibrium(tissue)
    fastest = max(5000.0, float(generator(tissue, tensor(100.0)).abs().max()))
    assert float(drift.abs().max()) <= ROUNDING * fastest


@given(tissues)
@settings(max_examples=50, deadline=None)
def test_exchange_conserves_magnetisation_when_nothing_relaxes(tissue: Tissue) -> None:
    """Columns of the exchange part sum to zero: what leaves one pool arrives in another."""
    layout, matrix = Layout.of(tissue), generator(tissue, tensor(0.0))
    every_pool = (tissue.water, *tissue.exchanging, *tissue.semisolid)
    relaxation = torch.stack([1 / pool.t1 for pool in every_pool])
    flow = matrix[layout.z, layout.z].sum(dim=0) + relaxation
    assert float(flow.abs().max()) <= ROUNDING * float(matrix.abs().max())


@given(tissues)
@settings(max_examples=50, deadline=None)
def test_detailed_balance_no_net_flow_between_any_pair_of_pools_at_equilibrium(tissue: Tissue) -> None:
    layout, matrix = Layout.of(tissue), generator(tissue, tensor(0.0))
    rates, fractions = matrix[layout.z, layout.z], equilibrium(tissue)[layout.z]
    flows = rates * fractions
    off_diagonal = flows - torch.diag(torch.diagonal(flows))
    assert float((off_diagonal - off_diagonal.T).abs().max()) <= ROUNDING * max(1.0, float(flows.abs().max()))


@given(st.floats(-400, 400), st.floats(-400, 400), st.floats(-2000, 2000))
@settings(max_examples=50, deadline=None)
def test_rf_without_relaxation_or_exchange_is_a_rotation(wx: float, wy: float, frequency: float) -> None:
    tissue = make_tissue([solute(k=0.0, t1=math.inf, t2=math.inf)], t1=math.inf, t2=math.inf)
    x, y, _ = rf_generators(tissue, tensor(frequency))
    matrix = (generator(tissue, tensor(frequency)) + wx * x + wy * y)[:-1, :-1]
    assert torch.equal(matrix, -matrix.T)


@pytest.mark.parametrize(
    ("frequency", "sign"),
    [pytest.param(-100.0, 1, id="below resonance"), pytest.param(100.0, -1, id="above resonance")],
)
def test_precession_is_counter_clockwise_for_a_resonance_above_the_frame(frequency: float, sign: int) -> None:
    matrix = generator(make_tissue(), tensor(frequency))
    assert float(matrix[1, 0]) == pytest.approx(sign * 2 * math.pi * 100, rel=1e-12)


def test_an_x_pulse_turns_z_towards_positive_y() -> None:
    """dM+/dt = i w Mz: with RF along x, magnetisation from +z turns towards +y."""
    x, y, _ = rf_generators(make_tissue(), tensor(0.0))
    up = torch.tensor([0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    assert (x @ up).tolist() == [0, 1, 0, 0]
    assert (y @ up).tolist() == [-1, 0, 0, 0]


def test_lorentzian_saturation_falls_with_the_square_of_the_offset_and_peaks_at_t2() -> None:
    tissue = make_tissue(semisolid=[macromolecule(t2=1e-5, shift=0.0)])
    at = lambda hertz: -float(rf_generators(tissue, tensor(hertz))[2][-2])  # noqa: E731
    assert at(0.0) == pytest.approx(1e-5, rel=1e-12)
    far, farther = at(1e6), at(2e6)
    assert far / farther == pytest.approx(4.0, rel=1e-3)  # 1 / (D T2)^2 = 2.5e-4 is what the wing leaves out


def test_continuous_rf_at_a_dilute_solute_gives_the_steady_state_of_the_r1rho_theory() -> None:
    """Zss = R1 cos2 / R1rho with R1rho = R1 cos2 + R2 sin2 + Rex, for RF on the solute's resonance and small f.

    Rex = f k w1^2 / (w1^2 + k (k + R2s)) x D^2 / (D^2 + w1^2), D the shift in rad/s: Zaiss and Bachert,
    Phys Med Biol 2013;58:R221, equation for full-width pools.  The theory is first order in f = 1e-5 and in
    R2s/w1, hence 5 % of the effect, which itself is 1e-3 of the signal.
    """
    f, k, w1, r1, r2, r2s, hertz = 1e-5, 150.0, 2 * math.pi * 100, 0.5, 1.0, 10.0, 600.0
    ppm = hertz / (float(make_tissue().larmor) * 1e-6)
    tissue = make_tissue([solute(f=f, k=k, t2=1 / r2s, t1=1.0, shift=ppm)], t1=1 / r1, t2=1 / r2)
    x, _, _ = rf_generators(tissue, tensor(hertz))
    matrix = generator(tissue, tensor(hertz)) + w1 * x
    steady = torch.linalg.solve(matrix[:-1, :-1], -matrix[:-1, -1])[Layout.of(tissue).z.start]
    shift = 2 * math.pi * hertz
    cos2 = shift**2 / (shift**2 + w1**2)
    background = r1 * cos2 + r2 * (1 - cos2)
    exchange = f * k * w1**2 / (w1**2 + k * (k + r2s)) * cos2
    effect = r1 * cos2 / background - r1 * cos2 / (background + exchange)
    assert r1 * cos2 / background - float(steady) == pytest.approx(effect, rel=0.05)
