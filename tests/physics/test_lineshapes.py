"""Absorption lineshapes against their definitions, and the usual super-Lorentzian against what it was copied from."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from spinloom.physics.lineshapes import NARROWEST_LINE, SOLVED_LINESHAPES, absorption, superlorentzian
from spinloom.tissue.pools import LINESHAPES

PPM_AT_3T = 3 * 267.5153
"""One ppm of the Larmor frequency at 3 T [rad/s]."""

SHAPES = sorted(SOLVED_LINESHAPES - {"none"})
T2 = (5e-6, 10e-6, 40e-6, 100e-6)
FIELDS = (3.0, 7.0, 11.7)


def tensor(value: object) -> torch.Tensor:
    return torch.as_tensor(value, dtype=torch.float64)


def at(lineshape: str, t2: float, detuning: object) -> torch.Tensor:
    return absorption(lineshape, tensor(t2), tensor(detuning), tensor(PPM_AT_3T))


def defined_superlorentzian(t2: float, detuning: float) -> float:
    """The integral over orientations as it is defined, on intervals that shrink towards the magic angle."""
    magic = 1 / math.sqrt(3)
    near = magic * np.geomspace(1.0, 1e-10, 21)
    far = (1 - magic) * np.geomspace(1.0, 1e-10, 21)
    borders = np.unique(np.concatenate([magic - near, magic + far]))

    def line(u: float) -> float:
        width = abs(3 * u * u - 1) / t2
        return math.exp(-2 * (detuning / width) ** 2) / width if width else 0.0

    parts = [quad(line, *ends, epsabs=0.0, epsrel=1e-9)[0] for ends in itertools.pairwise(borders)]
    return math.sqrt(2 * math.pi) * math.fsum(parts)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("t2", T2)
def test_the_superlorentzian_is_its_integral_within_1e9_from_1_hz_to_100_ppm(t2: float, field: float) -> None:
    """The quadrature states 2e-11; the adaptive one that it is held to reaches 1e-10 near the magic angle."""
    ppm = field * 267.5153
    detuning = np.concatenate([[NARROWEST_LINE], ppm * np.geomspace(0.1, 100, 9)])
    values = superlorentzian(tensor(t2), tensor(detuning)).numpy()
    defined = np.array([defined_superlorentzian(t2, each) for each in detuning])
    seen = defined > 1e-30  # beyond, at 31 widths of T2, there is no saturation and no accuracy to speak of
    assert np.abs(values[seen] / defined[seen] - 1).max() <= 1e-9


@pytest.mark.parametrize("lineshape", ["lorentzian", "gaussian", "superlorentzian"])
def test_every_line_has_the_area_pi(lineshape: str) -> None:
    """On a logarithmic grid, which leaves out 2e-6 of a Lorentzian's wings and 6e-7 of a super-Lorentzian's core."""
    t2 = 1e-7
    logarithm = np.linspace(math.log(1e-9), math.log(1e6), 20_001)
    values = at(lineshape, t2, np.exp(logarithm) / t2).numpy() * np.exp(logarithm) / t2
    assert 2 * np.trapezoid(values, logarithm) == pytest.approx(math.pi, rel=3e-6)


@pytest.mark.parametrize("lineshape", SHAPES)
def test_lines_are_even_positive_and_fall_with_distance(lineshape: str) -> None:
    detuning = np.geomspace(2 * PPM_AT_3T, 1e5, 50)
    right, left = at(lineshape, 1e-5, detuning), at(lineshape, 1e-5, -detuning)
    assert torch.equal(right, left)
    assert bool((right > 0).all())
    assert bool((right.diff() < 0).all())


@pytest.mark.parametrize("lineshape", ["gaussian", "superlorentzian"])
def test_gradients_agree_with_finite_differences(lineshape: str) -> None:
    """In units of 1e-5 s and 1e5 rad/s, so that one step suits both."""

    def line(t2: torch.Tensor, detuning: torch.Tensor) -> torch.Tensor:
        return 1e5 * absorption(lineshape, 1e-5 * t2, 1e5 * detuning, tensor(PPM_AT_3T))

    t2 = tensor([0.5, 1.0, 4.0, 10.0]).requires_grad_()
    detuning = tensor([-1.0, 0.01, 0.3, 0.1]).requires_grad_()
    assert torch.autograd.gradcheck(line, (t2, detuning), eps=1e-6, atol=1e-8, rtol=1e-6)


def test_the_superlorentzian_grows_with_the_logarithm_towards_its_resonance_and_is_held_at_1_hz() -> None:
    """Towards d = 0 the line is -sqrt(2 pi / 3) T2 ln(d T2) and a constant."""
    t2 = 1e-5
    decades = at("superlorentzian", t2, [10 * NARROWEST_LINE, NARROWEST_LINE, 0.1 * NARROWEST_LINE, 0.0])
    assert float(decades[1] - decades[0]) == pytest.approx(math.sqrt(2 * math.pi / 3) * math.log(10) * t2, rel=1e-3)
    assert decades[1] == decades[2] == decades[3]


@pytest.mark.parametrize(
    ("detuning", "expected"),
    [
        pytest.param(0.0, 9.81023668068662e-05, id="on resonance"),
        pytest.param(200.0, 9.671409474973946e-05, id="splined, above"),
        pytest.param(-700.0, 8.120481661900254e-05, id="splined, below"),
        pytest.param(2907.6377, 5.267415180016718e-05, id="summed"),
        pytest.param(-197592.3623, 1.2487721280388518e-07, id="summed, far"),
    ],
)
def test_the_usual_superlorentzian_is_what_bmctool_computes(detuning: float, expected: float) -> None:
    """Golden numbers of BMCTool 1.0.3, taken in November 2026: T2 10 us, 3 T, pool at -3 ppm."""
    assert float(at("superlorentzian_usual", 1e-5, detuning)) == pytest.approx(expected, rel=1e-12)


def test_the_usual_superlorentzian_errs_by_percents_outside_1_ppm_and_by_a_third_within() -> None:
    def error(detuning: np.ndarray) -> float:
        return float(
            (at("superlorentzian_usual", 1e-5, detuning) / at("superlorentzian", 1e-5, detuning) - 1).abs().max()
        )

    assert 0.01 < error(np.linspace(PPM_AT_3T, 1e5, 200)) < 0.03
    assert 0.2 < error(np.linspace(10.0, 0.99 * PPM_AT_3T, 200)) < 0.35


def test_a_batch_of_widths_and_a_row_of_offsets_broadcast() -> None:
    t2, detuning = tensor([1e-5, 4e-5])[:, None], tensor([1e3, 1e4, 1e5])
    for lineshape in SOLVED_LINESHAPES:
        values = absorption(lineshape, t2, detuning, tensor(PPM_AT_3T))
        assert values.shape == (2, 3)
        assert float(values[1, 2]) == float(absorption(lineshape, t2[1, 0], detuning[2], tensor(PPM_AT_3T)))


def test_every_lineshape_that_a_pool_model_names_is_solved() -> None:
    assert set(LINESHAPES) == SOLVED_LINESHAPES
