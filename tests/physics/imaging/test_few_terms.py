"""Tables by the few of their terms that matter: as exact as asked for, and as smooth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.physics.imaging.chebyshev import Table, fitted
from spinloom.physics.imaging.few_terms import FewTerms

LOW, HIGH = np.array([-1.0, 0.5, 0.0]), np.array([2.0, 1.5, 0.3])


def function(points: np.ndarray) -> np.ndarray:
    """Two outputs of three numbers, the last of which matters little."""
    x, y, z = points
    return np.stack([np.sin(3 * x * y) * np.exp(-z), np.cos(x + y) + 0.1 * z])


@pytest.fixture(scope="module")
def table() -> Table:
    return fitted(function, LOW, HIGH, 1e-10, torch.device("cpu"))


@pytest.fixture(scope="module")
def points() -> Tensor:
    random = np.random.default_rng(1)
    return torch.from_numpy(LOW[:, None] + (HIGH - LOW)[:, None] * random.random((3, 200)))


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_what_is_left_out_stays_below_the_tolerance(tolerance: float, table: Table, points: Tensor) -> None:
    error = np.abs(FewTerms.of(table, tolerance)(points).numpy().T - function(points.numpy())).max()
    assert error <= tolerance + 1e-10
    assert error >= tolerance / 1e3  # and it is used


def test_a_laxer_tolerance_takes_fewer_terms(table: Table) -> None:
    counts = [len(FewTerms.of(table, tolerance).degrees) for tolerance in (1e-9, 1e-6, 1e-3)]
    assert counts == sorted(set(counts), reverse=True)
    assert counts[0] < table.coefficients[..., 0].numel()


def test_its_slopes_are_those_of_the_function(table: Table, points: Tensor) -> None:
    few = FewTerms.of(table, 1e-9)
    inputs = points[:, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(few, (inputs,), eps=1e-6, atol=1e-8, rtol=1e-6)
    (slope,) = torch.autograd.grad(few(inputs)[:, 1].sum(), inputs)
    np.testing.assert_allclose(slope[2].numpy(), 0.1, atol=1e-6)
