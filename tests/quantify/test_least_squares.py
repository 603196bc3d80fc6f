"""Levenberg-Marquardt over voxels finds what scipy finds in each of them, inside bounds, whatever the batch."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch
from torch import Tensor

from spinloom.quantify import least_squares as module
from spinloom.quantify.least_squares import FitError, least_squares

TIMES = torch.linspace(0, 4, 25, dtype=torch.float64)
NAMES = ("amplitude", "rate", "offset")
LOWER, UPPER = torch.tensor([0.0, 0.1, -1.0]), torch.tensor([5.0, 6.0, 1.0])
START = torch.tensor([1.0, 1.0, 0.0])
NOISE = 0.02


def decay(parameters: Tensor, voxels: Tensor) -> Tensor:
    amplitude, rate, offset = parameters[..., None].unbind(dim=-2)
    return amplitude * torch.exp(-rate * TIMES) + offset


@pytest.fixture
def truth() -> Tensor:
    generator = torch.Generator().manual_seed(11)
    return torch.tensor([1.0, 0.3, -0.2]) + torch.rand(40, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def data(truth: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(12)
    clean = decay(truth, torch.arange(40))
    return clean + NOISE * torch.randn(clean.shape, generator=generator, dtype=torch.float64)


def by_scipy(curve: Tensor, amplitude: float | None = None) -> scipy.optimize.OptimizeResult:
    """The best parameters, or the best rate and offset for a given amplitude."""
    given = [] if amplitude is None else [amplitude]

    def residual(parameters: np.ndarray) -> np.ndarray:
        return (decay(torch.tensor([[*given, *parameters]], dtype=torch.float64), None)[0] - curve).numpy()

    start, lower, upper = (bound.numpy()[len(given) :] for bound in (START, LOWER, UPPER))
    return scipy.optimize.least_squares(residual, start, bounds=(lower, upper), xtol=1e-14, ftol=1e-14, gtol=1e-14)


def test_each_voxel_agrees_with_scipy_in_value_and_standard_error(data: Tensor) -> None:
    fit = least_squares(decay, data, START, LOWER, UPPER, NAMES)
    assert fit.converged.all()
    for voxel in range(0, 40, 8):
        found = by_scipy(data[voxel])
        np.testing.assert_allclose(fit.parameters[voxel], found.x, rtol=1e-4)
        variance = 2 * found.cost / (TIMES.numel() - 3) * np.diag(np.linalg.inv(found.jac.T @ found.jac))
        np.testing.assert_allclose(fit.errors[voxel], np.sqrt(variance), rtol=1e-3)
        np.testing.assert_allclose(fit.residual[voxel], np.sqrt(2 * found.cost / TIMES.numel()), rtol=1e-6)


def test_truth_lies_where_the_standard_errors_say(data: Tensor, truth: Tensor) -> None:
    """Of 120 normal deviates, none passes 4 standard errors but once in 130 seeds, and their rms is 1 within 0.2."""
    fit = least_squares(decay, data, START, LOWER, UPPER, NAMES)
    deviates = (fit.parameters - truth) / fit.errors
    assert deviates.abs().max() < 4
    assert deviates.square().mean().sqrt() == pytest.approx(1, abs=0.2)


def test_a_bound_that_cuts_off_the_minimum_gives_scipys_constrained_one_without_an_error(data: Tensor) -> None:
    """A step that gains less than 1e-8 of the residual ends the search; what is left is small beside the errors."""
    upper = torch.tensor([0.9, 6.0, 1.0])
    fit = least_squares(decay, data[:3], START, LOWER, upper, NAMES)
    assert fit["amplitude"].tolist() == pytest.approx([0.9] * 3)
    assert fit.error("amplitude").isnan().all()
    for voxel in range(3):
        distance = np.abs(fit.parameters[voxel, 1:] - by_scipy(data[voxel], 0.9).x)
        assert (distance < 0.02 * fit.errors[voxel, 1:]).all()


def test_a_parameter_whose_bounds_are_the_same_stays_and_does_not_count(data: Tensor) -> None:
    lower, upper = torch.tensor([0.0, 0.1, 0.25]), torch.tensor([5.0, 6.0, 0.25])
    fit = least_squares(lambda p, v: decay(p, v)[:, :3], data[:2, :3], START, lower, upper, NAMES)
    assert fit["offset"].tolist() == [0.25, 0.25]
    assert fit.error("offset").isnan().all()
    assert fit.error("rate").isfinite().all()


def test_the_batch_shape_and_the_chunks_do_not_matter(data: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = least_squares(decay, data, START, LOWER, UPPER, NAMES)
    monkeypatch.setattr(module, "NUMBERS_IN_FLIGHT", 7 * 25 * 3)
    chunked = least_squares(decay, data.reshape(5, 8, 25), START, LOWER, UPPER, NAMES)
    assert chunked.parameters.shape == (5, 8, 3)
    torch.testing.assert_close(chunked.parameters.reshape(40, 3), whole.parameters, rtol=1e-9, atol=1e-9)


def test_a_voxel_with_nan_is_left_out_and_the_others_are_not_touched(data: Tensor) -> None:
    holed = data.clone()
    holed[3, 5] = torch.nan
    fit = least_squares(decay, holed, START, LOWER, UPPER, NAMES)
    whole = least_squares(decay, data, START, LOWER, UPPER, NAMES)
    assert fit.left_out.nonzero().tolist() == [[3]]
    assert fit.parameters[3].isnan().all()
    assert fit.residual[3].isnan()
    others = ~fit.left_out
    torch.testing.assert_close(fit.parameters[others], whole.parameters[others], rtol=1e-9, atol=1e-9)


def test_the_scale_of_a_parameter_does_not_matter(data: Tensor) -> None:
    unit = torch.tensor([1e6, 1e-6, 1.0])
    scaled = least_squares(lambda p, v: decay(p / unit, v), data, START * unit, LOWER * unit, UPPER * unit, NAMES)
    plain = least_squares(decay, data, START, LOWER, UPPER, NAMES)
    torch.testing.assert_close(scaled.parameters / unit, plain.parameters, rtol=1e-5, atol=1e-6)


def test_too_few_measurements_are_refused_by_name(data: Tensor) -> None:
    with pytest.raises(FitError, match=r"3 offsets .* 3 parameters \(amplitude, rate, offset\).*at least 4"):
        least_squares(decay, data[:, :3], START, LOWER, UPPER, NAMES)
