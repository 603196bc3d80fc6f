"""The Lorentzian fit recovers lines that it is given, agrees with scipy on single spectra, and knows its pools."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch
from torch import Tensor

from spinloom.quantify.least_squares import FitError, forward_jacobian
from spinloom.quantify.lorentzian_fit import (
    fit_lorentzians,
    lorentzian_curve,
    lorentzian_jacobian,
    lorentzian_lines,
    parameter_names,
)
from spinloom.quantify.lorentzian_pools import FREE_BASELINE, POOLS, LorentzianPool, Range

OFFSETS = np.concatenate([np.arange(-30, -6, 3.0), np.arange(-6, 6.1, 0.25), np.arange(9, 31, 3.0)])
X = torch.from_numpy(OFFSETS)
CHOSEN = ("water", "amide", "noe", "mt")
TRUTH = torch.tensor([1.0, 0.8, 1.4, 0.2, 0.06, 1.0, 3.5, 0.08, 3.0, -3.4, 0.12, 30.0, -2.0], dtype=torch.float64)
NOISE = 0.002


def spectra(count: int, seed: int = 7) -> Tensor:
    noise = torch.randn(count, X.numel(), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return lorentzian_curve(TRUTH, X, 0) + NOISE * noise


def test_amplitudes_widths_and_shifts_are_recovered_within_the_cramer_rao_bound() -> None:
    """Of 12 x 50 deviates in units of the bound none passes 5 but once in 2,900 seeds; their spread is that bound."""
    fit = fit_lorentzians(OFFSETS, spectra(50), CHOSEN)
    jacobian = lorentzian_jacobian(TRUTH, X, 0)[:, 1:]
    bound = NOISE * torch.linalg.inv(jacobian.mT @ jacobian).diagonal().sqrt()
    deviates = (fit.parameters - TRUTH)[:, 1:] / bound
    assert fit.converged.all()
    assert deviates.abs().max() < 5
    assert deviates.square().mean().sqrt() == pytest.approx(1, abs=0.1)
    assert fit["baseline"].tolist() == [1.0] * 50


def test_a_free_baseline_is_found_too() -> None:
    fit = fit_lorentzians(OFFSETS, 0.9 * spectra(20), CHOSEN, FREE_BASELINE)
    assert ((fit["baseline"] - 0.9).abs() < 4 * fit.error("baseline")).all()


def test_a_single_spectrum_agrees_with_scipy() -> None:
    (z,) = spectra(1)
    fit = fit_lorentzians(OFFSETS, z, CHOSEN)
    pools = [POOLS[name] for name in CHOSEN]
    spans = [span for pool in pools for span in (pool.amplitude, pool.width_ppm, pool.shift_ppm)]
    first = [span.start for span in spans]

    def residual(values: np.ndarray) -> np.ndarray:
        return (lorentzian_curve(torch.tensor([1.0, *values], dtype=torch.float64), X, 0) - z).numpy()

    bounds = ([span.low for span in spans], [span.high for span in spans])
    found = scipy.optimize.least_squares(residual, first, bounds=bounds, x_scale="jac", xtol=1e-12)
    np.testing.assert_allclose(fit.parameters[1:], found.x, rtol=1e-3, atol=1e-4)


def test_the_derivative_agrees_with_forward_differentiation() -> None:
    automatic = forward_jacobian(lambda p, _: lorentzian_curve(p, X, 0))(TRUTH[None], torch.zeros(1))
    torch.testing.assert_close(lorentzian_jacobian(TRUTH[None], X, 0), automatic, rtol=1e-12, atol=1e-14)


def test_b0_moves_every_line_and_leaves_their_distances() -> None:
    moved = TRUTH.clone()
    moved[3] += 0.25
    torch.testing.assert_close(lorentzian_lines(moved, X + 0.25, 0), lorentzian_lines(TRUTH, X, 0))


def test_a_line_is_as_deep_and_as_wide_as_its_parameters_say() -> None:
    line = lorentzian_lines(TRUTH, torch.tensor([3.7, 3.2, 4.2]), 0)[1]
    assert line.tolist() == pytest.approx([0.06, 0.03, 0.03])


def test_pools_of_your_own_stand_beside_the_known_ones() -> None:
    own = LorentzianPool("lactate", Range(0.02, 0, 0.2), Range(0.5, 0.2, 2), Range(0.4, 0.2, 0.6))
    truth = torch.tensor([1, 0.05, 0.6, 0.45, 0.7, 1.2, 0.1], dtype=torch.float64)
    fit = fit_lorentzians(OFFSETS, lorentzian_curve(truth, X, 1), (own, "water"))
    assert fit.names == parameter_names((own, POOLS["water"]))
    torch.testing.assert_close(fit.parameters, truth, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", POOLS)
def test_ranges_hold_their_start(name: str) -> None:
    for span in (POOLS[name].amplitude, POOLS[name].width_ppm, POOLS[name].shift_ppm):
        assert span.low <= span.start <= span.high
        assert span.low < span.high


def test_a_voxel_with_nan_is_left_out() -> None:
    z = spectra(3)
    z[2, 0] = torch.nan
    assert fit_lorentzians(OFFSETS, z, CHOSEN).left_out.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("pools", "reason"),
    [
        (("water", "amid"), "no Lorentzian pool 'amid'. Did you mean 'amide'?"),
        (("amide",), "The pools amide must hold 'water'"),
        (("water", "amide", "amide"), "no pool twice; list each once"),
    ],
)
def test_pools_that_do_not_work_are_refused(pools: tuple[str, ...], reason: str) -> None:
    with pytest.raises(FitError, match=reason.replace("?", r"\?")):
        fit_lorentzians(OFFSETS, spectra(1), pools)


def test_too_few_offsets_are_refused() -> None:
    with pytest.raises(FitError, match=r"6 offsets cannot determine 6 parameters .*at least 7 offsets or fit fewer"):
        fit_lorentzians(OFFSETS[:6], spectra(1)[:, :6], ("water", "mt"))
