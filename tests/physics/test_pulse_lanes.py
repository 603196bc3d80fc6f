"""Pulses and exponentials on vector registers: closed solutions, tolerances kept, columns forgotten and recalled."""

from __future__ import annotations

import cmath

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from spinloom.physics.bloch_mcconnell import generator, rf_generators
from spinloom.physics.columns import rows
from spinloom.physics.constant_pulses import solve_constant, solve_delays
from spinloom.physics.envelope import Envelope
from spinloom.physics.far_pulses import solve_far
from spinloom.physics.forgetting import NEVER, forget, leave, recall
from spinloom.physics.lanes import LANES, load, spread, store
from spinloom.physics.propagation import PulseKey
from spinloom.physics.series import Series, absorptions
from spinloom.physics.star import Star, star_of
from spinloom.sequence.timeline import RfWaveform
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

TWO = {
    "water_pool": {"t1": [2.0, 2.5, 3.0], "t2": 0.8},
    "cest_pool": {"a": {"f": 1e-3, "t1": 2.0, "t2": 0.04, "k": 400, "dw": 3}},
}
FOUR = {
    "water_pool": {"t1": [0.9, 1.1, 1.3], "t2": [0.04, 0.05, 0.06]},
    "mt_pool": {"f": 0.13, "t1": 1.0, "t2": 1e-5, "k": 30, "dw": -3, "lineshape": "lorentzian"},
    "cest_pool": {
        "amine": {"f": 9e-4, "t1": 1.0, "t2": 0.1, "k": [5000, 3000, 1000], "dw": 3},
        "amide": {"f": 2e-3, "t1": 1.0, "t2": 0.1, "k": 50, "dw": 3.5},
    },
    "b0": 3,
    "rel_b1": [0.8, 1.0, 1.2],
}


@njit
def _on_lanes(a, b, out):  # type: ignore[no-untyped-def]
    store(out, 0, load(a, 0) * load(b, 0) + 2 - spread(3.0) * load(a, 0))


def test_registers_add_and_multiply_lane_by_lane() -> None:
    a, b, out = np.arange(float(LANES)), np.arange(10.0, 10 + LANES), np.zeros(LANES)
    _on_lanes(a, b, out)
    assert np.array_equal(out, a * b + 2 - 3 * a)


def tissue(model: dict) -> tuple[Tissue, Star]:
    made = tissue_from_mapping({"b0": 3, **model}, "x").flatten()
    star = star_of(made)
    assert star is not None
    return made, star


def by_columns(matrix: torch.Tensor) -> np.ndarray:
    return matrix[:, :-1].transpose(1, 2).numpy()


def exact_propagator(made: Tissue, nutation: complex, length: float, frequency: float) -> torch.Tensor:
    """One matrix exponential of the readable generator, the RF at envelope 1 of `nutation` rad/s."""
    offset = torch.full_like(made.b0, frequency)
    x, y, saturation = rf_generators(made, offset)
    w = made.rel_b1[:, None, None]
    rf = w * (nutation.real * x + nutation.imag * y) + w**2 * abs(nutation) ** 2 * torch.diag_embed(saturation)
    return torch.matrix_exp(length * (generator(made, offset) + rf))


def constant(made: Tissue, star: Star, frequency: float, segments: list[tuple[float, complex]]) -> np.ndarray:
    """The same by `solve_constant`, segments of so many seconds and so much nutation."""
    offset = torch.full((1, made.b0.numel()), frequency, dtype=torch.float64)
    bound = slice(star.layout.size - 1 - star.layout.semisolid, star.layout.size - 1)
    absorption = -rf_generators(made, offset)[2][..., bound].transpose(1, 2).numpy()
    lengths, means = (np.array(column) for column in zip(*segments, strict=True))
    return solve_constant(
        star,
        np.ascontiguousarray(absorption),
        made.rel_b1.numpy()[None],
        np.array([2 * np.pi * frequency]),
        (lengths, means, np.abs(means) ** 2),
    )[0]


@pytest.mark.parametrize("model", [TWO, FOUR], ids=["two pools", "four pools"])
@pytest.mark.parametrize("length", [3.0, 2e-3], ids="{} s".format)
@pytest.mark.parametrize("axis", [0.0, 2.0, np.pi], ids="axis {:.0f}".format)
def test_a_constant_pulse_is_one_matrix_exponential(model: dict, length: float, axis: float) -> None:
    """Squarings double the rounding: fifteen of them for three seconds of precession at a kilohertz."""
    made, star = tissue(model)
    nutation = cmath.rect(600.0, axis)
    solved = constant(made, star, 350.0, [(length, nutation)])
    assert np.abs(solved - by_columns(exact_propagator(made, nutation, length, 350.0))).max() <= 1e-10


def test_segments_follow_each_other() -> None:
    made, star = tissue(FOUR)
    solved = constant(made, star, -200.0, [(0.01, 300.0), (0.02, 500j)])
    exact = exact_propagator(made, 500j, 0.02, -200.0) @ exact_propagator(made, 300.0 + 0j, 0.01, -200.0)
    assert np.abs(solved - by_columns(exact)).max() <= 1e-11


@pytest.mark.parametrize("model", [TWO, FOUR], ids=["two pools", "four pools"])
def test_delays_are_the_blocks_of_one_matrix_exponential(model: dict) -> None:
    made, star = tissue(model)
    durations = np.array([3.5, 5e-3])
    delays, z = solve_delays(star, durations), 2 * star.layout.pools
    for number, duration in enumerate(durations):
        exact = by_columns(torch.matrix_exp(generator(made, torch.zeros_like(made.b0)) * duration))
        assert np.abs(delays.across[number] - exact[:, :z, :z]).max() <= 1e-10
        assert np.abs(delays.along[number] - exact[:, z:, z:]).max() <= 1e-10


@st.composite
def stars(draw: st.DrawFn) -> dict:
    """Water with up to four pools that exchange slowly and fast, few and many."""
    pool = st.fixed_dictionaries(
        {
            "f": st.floats(-4, -0.7).map(lambda power: 10**power),
            "t1": st.floats(0.3, 3),
            "t2": st.floats(-3, 0).map(lambda power: 10**power),
            "k": st.floats(1, 3.8).map(lambda power: 10**power),
            "dw": st.floats(-5, 5),
        }
    )
    pools = draw(st.lists(pool, max_size=4))
    return {
        "water_pool": {"t1": draw(st.floats(0.5, 3)), "t2": draw(st.floats(0.02, 1))},
        "cest_pool": {f"pool{number}": each for number, each in enumerate(pools)},
    }


def pulse(model: dict, frequency: float, amplitude: float, turn: float, tolerance: float) -> np.ndarray:
    """What a sinc of 50 ms in 48 cells does to water in equilibrium: its Mx, My and Mz."""
    made, star = tissue(model)
    time = (np.arange(500) + 0.5) / 500 - 0.5
    form = RfWaveform(np.full(500, 1e-4), np.sinc(2 * time) * np.exp(1j * turn * time), exact=True)
    envelope = Envelope(form)
    half = envelope.mirrored(tolerance)
    sampled = envelope.sampled(48, half)
    jobs = Series(made, star, sampled, [PulseKey(0, amplitude, frequency)], tolerance, 2 * np.pi * made.rel_b1.numpy())
    columns = np.empty((1, made.b0.numel(), star.layout.size, star.layout.size - 1))
    jobs.solve(half, 1, columns)
    start = np.concatenate([np.zeros(2 * star.layout.pools), star.weights[0, 2 * star.layout.pools :], [1.0]])
    return (start @ columns[0, 0])[[0, star.layout.pools, 2 * star.layout.pools]]


@given(
    model=stars(),
    frequency=st.floats(-600, 600),
    amplitude=st.floats(10, 300),
    turn=st.sampled_from([0.0, 2.0]),
    tolerance=st.sampled_from([1e-4, 1e-6, 1e-8]),
)
@settings(max_examples=40, deadline=None)
def test_water_keeps_the_tolerance(model: dict, frequency: float, amplitude: float, turn: float, tolerance) -> None:
    """Left out are terms, and columns of pools that exchange fast."""
    rough, fine = (pulse(model, frequency, amplitude, turn, each) for each in (tolerance, 1e-14))
    assert np.abs(rough - fine).max() <= tolerance


def test_an_empty_pool_changes_nothing() -> None:
    """Its fraction of zero leaves no unit of magnetisation to measure it by."""
    empty = {"f": 0.0, "t1": 1.0, "t2": 0.1, "k": 500, "dw": 1.0}
    beside = {**TWO, "cest_pool": {**TWO["cest_pool"], "empty": empty}}
    alone, both = (pulse(model, 130.0, 140.0, 0.0, 1e-12) for model in (TWO, beside))
    assert np.abs(alone - both).max() <= 1e-12


def test_forgotten_columns_are_recalled_from_those_that_are_kept() -> None:
    """Columns 1, 3 and 5 depend on the others; all evolve alike after they are forgotten."""
    size, random = 6, np.random.default_rng(0)
    kept = [0, 2, 4]
    full = np.zeros((size, size, LANES))
    full[kept] = random.normal(size=(3, size, LANES))
    full[[1, 3, 5]] = np.einsum("ij,jkl->ikl", random.normal(size=(3, 3)), full[kept])
    after = np.einsum("rs,csl->crl", random.normal(size=(size, size)), full)
    columns, shares, work, triangle = (rows(size * size) for _ in range(4))
    columns[: full.size] = full.ravel()
    event = np.full(size, NEVER)
    assert not leave(event, 0, 2, np.array([1.0, 1e-3]), np.array([1.0, 1e3]), 1e-3, 1e-6)
    assert leave(event, 0, 2, np.array([1.0, 1e-3]), np.array([1.0, 1e3]), 2e-2, 1e-6)
    assert list(event) == [NEVER, 0, NEVER, 0, NEVER, 0]
    forget(columns, event, 0, shares, work, triangle)
    columns[: full.size] = np.where(np.isin(np.arange(size), kept)[:, None, None], after, 0.0).ravel()
    recall(columns, event, 0, shares)
    assert np.abs(columns[: full.size].reshape(full.shape) - after).max() <= 1e-12


@pytest.mark.parametrize("half", [False, True], ids=["whole", "half"])
def test_a_chain_of_cells_is_the_product_of_matrix_exponentials(half: bool) -> None:
    """Far off resonance, amplitudes of both signs; the half of a symmetric pulse stands for both.

    Interpolation leaves out the sixth power of nutation over offset, 2e-11, in each cell.
    """
    made, star = tissue(FOUR)
    values = np.array([-0.2, 0.1, 0.7, 1.0]) if half else np.array([0.3, 1.0, -0.4, 0.6, -0.1])
    form = RfWaveform(np.full(values.size, 1e-4), values + 0j, exact=True)
    frequency, tissues = 9e3, made.b0.numel()
    nutation, absorption = 900.0 * made.rel_b1.numpy()[None], absorptions(made, np.array([frequency]))
    solved = solve_far(star, absorption, nutation, np.array([2 * np.pi * frequency]), form, half)[0]
    exact = torch.eye(star.layout.size, dtype=torch.float64).expand(tissues, -1, -1)
    for value in [*values, *values[::-1]] if half else values:
        exact = exact_propagator(made, complex(900.0 * value), 1e-4, frequency) @ exact
    assert np.abs(solved - by_columns(exact)).max() <= 1e-9
