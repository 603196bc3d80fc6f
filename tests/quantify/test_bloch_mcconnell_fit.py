"""The Bloch-McConnell fit finds the tissue that made a spectrum, with errors that hold, and says what it cannot fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from spinloom import Timeline, Tissue, read_tissue, solve_pools
from spinloom.quantify.bloch_mcconnell_fit import fit_bloch_mcconnell, fitted_spectra
from spinloom.quantify.least_squares import Fit, FitError
from spinloom.quantify.tissue_parameters import known_parameters, with_parameters
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, timeline_of
from spinloom.tissue.pools import ExchangingPool, Water

OFFSETS = (-4, -2, -1.2, -0.7, 0.7, 1.2, 1.6, 1.9, 2.1, 2.4, 2.8, 3.2, 3.5, 3.8)
B1_UT = (0.8, 3.0)
TRUTH = {"amine.k": 300.0, "amine.f": 0.0012, "water.t2": 0.08, "b0_shift_ppm": 0.06}
NAMES = tuple(TRUTH)
NOISE = 0.003


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.fixture(scope="module")
def start() -> Tissue:
    """Three pools: water, an amine at 2 ppm and an amide at 3.5 ppm; the amine is 1.5 to 2 times off."""
    amine = ExchangingPool("amine", *map(number, (0.002, 1.0, 0.02, 200.0, 2.0)))
    amide = ExchangingPool("amide", *map(number, (0.001, 1.0, 0.05, 40.0, 3.5)))
    water = Water(*map(number, (1.0, 1.2, 0.06)))
    return replace(read_tissue("water_3t"), name="three pools", water=water, exchanging=(amine, amide))


@pytest.fixture(scope="module")
def timeline(start: Tissue) -> Timeline:
    """One block pulse of 2 s a measurement, at two B1, which tells fraction from rate."""
    ppm = float(start.larmor) * 1e-6
    pulses = [block_pulse(2.0, b1 * 42.5764, offset * ppm) for b1 in B1_UT for offset in OFFSETS]
    return timeline_of([part for pulse in pulses for part in (pulse, SPOILER, MARKER)])


@pytest.fixture(scope="module")
def clean(start: Tissue, timeline: Timeline) -> Tensor:
    return solve_pools(timeline, with_parameters(start, {name: number(value) for name, value in TRUTH.items()})).mz


@pytest.fixture(scope="module")
def fit(start: Tissue, timeline: Timeline, clean: Tensor) -> Fit:
    noise = torch.randn(2, clean.numel(), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    z = torch.cat([clean + NOISE * noise, torch.full((1, clean.numel()), torch.nan)])
    return fit_bloch_mcconnell(timeline, start, z, NAMES)


def test_truth_is_recovered_within_three_standard_errors(fit: Fit) -> None:
    """8 deviates; by chance 3 standard errors are passed once in 46 seeds."""
    assert fit.converged.tolist() == [True, True, False]
    for name, value in TRUTH.items():
        assert ((fit[name][:2] - value).abs() < 3 * fit.error(name)[:2]).all(), name


def test_standard_errors_reach_the_cramer_rao_bound(fit: Fit, start: Tissue, timeline: Timeline) -> None:
    """By central differences at truth; errors from 24 degrees of freedom scatter by 14 %, 40 % is 3 of that."""
    columns = []
    for name, value in TRUTH.items():
        step = 1e-3 * value
        ends = [{**TRUTH, name: value + sign * step} for sign in (1, -1)]
        up, down = (
            solve_pools(timeline, with_parameters(start, {n: number(v) for n, v in end.items()})).mz for end in ends
        )
        columns.append((up - down) / (2 * step) * value)
    jacobian = torch.stack(columns, dim=-1)
    relative = NOISE * torch.linalg.inv(jacobian.mT @ jacobian).diagonal().sqrt()
    bound = relative * torch.tensor(list(TRUTH.values()))
    assert (fit.errors[:2] / bound).flatten().tolist() == pytest.approx([1.0] * 8, abs=0.4)


def test_the_fitted_curve_explains_the_data_to_the_noise(
    fit: Fit, start: Tissue, timeline: Timeline, clean: Tensor
) -> None:
    assert fit.residual[:2].tolist() == pytest.approx([NOISE] * 2, rel=0.4)
    curves = fitted_spectra(timeline, start, fit)
    assert (curves[:2] - clean).abs().max() < 3 * NOISE
    assert curves[2].isnan().all()


def test_a_voxel_with_nan_is_left_out(fit: Fit) -> None:
    assert fit.left_out.tolist() == [False, False, True]
    assert fit["amine.k"][2].isnan()


def test_a_known_field_shift_is_taken_as_given(start: Tissue, timeline: Timeline, clean: Tensor) -> None:
    known = {
        "b0_shift_ppm": number(0.06).expand(1),
        "amine.f": number(0.0012).expand(1),
        "amine.k": number(300.0).expand(1),
    }
    fit = fit_bloch_mcconnell(timeline, start, clean[None], ["water.t2"], given=known)
    assert fit["water.t2"].item() == pytest.approx(0.08, rel=1e-6)


def test_parameters_are_those_of_the_tissues_pools(start: Tissue) -> None:
    assert {"water.t1", "amine.k", "amide.shift_ppm", "b0_shift_ppm", "rel_b1"} <= set(known_parameters(start))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["amin.k"], r"'three pools' has no parameter 'amin\.k' to fit\. Did you mean 'amine\.k'\?"),
        (["amine.k", "amine.k"], "name at least one, and each once"),
        ([], r"The parameters to fit are \(none\)"),
        (["rel_b1"], "The fit of rel_b1 begins at 0, which has no logarithm; give the tissue a value above 0"),
    ],
)
def test_parameters_that_cannot_be_fitted_are_refused(
    start: Tissue, timeline: Timeline, clean: Tensor, names: list[str], reason: str
) -> None:
    with pytest.raises(FitError, match=reason):
        fit_bloch_mcconnell(timeline, replace(start, rel_b1=number(0.0)), clean, names)


def test_a_spectrum_of_another_sequence_is_refused(start: Tissue, timeline: Timeline, clean: Tensor) -> None:
    with pytest.raises(FitError, match=r"has 5 offsets, but .* measures 28 beside its M0 scans; name the sequence"):
        fit_bloch_mcconnell(timeline, start, clean[:5], NAMES)


def test_a_known_map_of_another_shape_is_refused(start: Tissue, timeline: Timeline, clean: Tensor) -> None:
    with pytest.raises(FitError, match=r"rel_b1 has shape \(2,\), the spectra \(1,\); give one a voxel"):
        fit_bloch_mcconnell(timeline, start, clean[None], ["amine.k"], given={"rel_b1": torch.ones(2)})
