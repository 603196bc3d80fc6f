"""The derivative of the matrix exponential against torch's own, finite differences, and cases with an answer."""

from __future__ import annotations

import math

import pytest
import torch

from spinloom.physics.matrix_exponential import derivative, matrix_exp


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [1e-6, 0.1, 1.0, 10.0, 100.0])
def test_the_derivative_is_that_of_torch(size: float) -> None:
    """Decaying matrices as tissues have them, of norms that need no squaring and up to eight."""
    matrix = size * (random(3, 4, 7, 7) / 7 - 0.5 * torch.eye(7, dtype=torch.float64))
    matrix.requires_grad_()
    weight = random(3, 4, 7, 7, seed=2)
    (ours,) = torch.autograd.grad(matrix_exp(matrix), matrix, weight)
    (theirs,) = torch.autograd.grad(torch.linalg.matrix_exp(matrix), matrix, weight)
    assert float((ours - theirs).abs().max()) <= 1e-12 * float(theirs.abs().max())


def test_first_and_second_derivatives_agree_with_finite_differences() -> None:
    matrix = random(2, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(matrix_exp, (matrix,))
    assert torch.autograd.gradgradcheck(matrix_exp, (matrix,))


def test_along_the_matrix_itself_the_derivative_is_the_matrix_times_its_exponential() -> None:
    matrix = random(5, 5)
    expected = matrix @ torch.linalg.matrix_exp(matrix)
    assert float((derivative(matrix, matrix) - expected).abs().max()) <= 1e-12 * float(expected.abs().max())


def test_at_zero_the_derivative_is_the_direction() -> None:
    direction = random(4, 4)
    assert torch.equal(derivative(torch.zeros_like(direction), direction), direction)


def test_a_nilpotent_matrix_gives_the_integral_of_its_flow() -> None:
    """A = [[0, a], [0, 0]] and E its transpose: L = integral of exp((1-s)A) E exp(sA) ds, by hand."""
    a = 3.0
    matrix = torch.tensor([[0.0, a], [0.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[a / 2, a * a / 6], [1.0, a / 2]], dtype=torch.float64)
    assert float((derivative(matrix, matrix.T / a) - expected).abs().max()) <= 1e-13


def test_an_empty_batch_has_an_empty_gradient() -> None:
    matrix = torch.zeros(0, 3, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(matrix_exp(matrix).sum(), matrix)
    assert gradient.shape == (0, 3, 3)


def test_the_gradient_is_cheap_in_products() -> None:
    """Fifteen products for the polynomial and three a squaring, whatever the size of the matrix."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        derivative(4.0 * torch.eye(8, dtype=torch.float64), random(8, 8))
    products = sum(event.count for event in profile.key_averages() if event.key == "aten::mm")
    assert 0 < products <= 15 + 3 * math.ceil(math.log2(4.0 / 0.6))
