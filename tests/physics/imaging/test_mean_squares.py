"""What the spins of a phantom have of Chebyshev polynomials, and that terms left out by it err by no more than told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spinloom.physics.imaging.expansion import expansion
from spinloom.physics.imaging.mean_squares import mean_squares
from spinloom.physics.imaging.ranges import range_of
from spinloom.physics.imaging.spins import Spins, spins_of
from spinloom.tissue.phantom import Phantom


def drawn(start: float = 1.0) -> Spins:
    """Spins of random M0, most of which have nearly the middle field and rate; their begin over M0."""
    draw = np.random.default_rng(0)
    m0, field, rate = torch.from_numpy(draw.uniform(-1, 1, (3, 1, 24, 24)))
    m0 = m0.abs()
    ones = torch.ones_like(m0)
    phantom = Phantom("drawn", (0.2, 0.2, 0.005), m0, ones, 1 / (31 + 30 * rate**5), 150 * field**5, ones)
    return spins_of(phantom, False, None if start == 1 else start * m0)


@pytest.mark.parametrize("start", [1.0, -3.0])
def test_mean_squares_are_those_of_cosines_of_multiples_of_an_angle(start: float) -> None:
    spins = drawn(start)
    covered = range_of(spins.b0)
    u = ((spins.b0 - covered.middle) / covered.half).clamp(-1, 1)
    found = mean_squares(spins, spins.b0.numpy(), covered)
    largest = spins.m0 * max(1.0, abs(start))
    for degree in range(5):
        square = torch.cos(degree * torch.arccos(u)) ** 2
        assert found[degree] == pytest.approx(float((largest * square).sum() / spins.m0.sum()), rel=1e-9)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-8])
def test_a_signal_errs_by_no_more_than_was_asked_with_fewer_terms(tolerance: float) -> None:
    """Whatever the phases of the spins: the mean of M0 times the error of each is below the tolerance."""
    spins, half = drawn(), 1e-3
    b0, r2 = range_of(spins.b0), range_of(spins.r2)
    squares = mean_squares(spins, spins.b0.numpy(), b0), mean_squares(spins, spins.r2.numpy(), r2)
    found = expansion(half, b0, r2, tolerance, squares)
    times = np.linspace(-half, half, 19)
    field, rate, m0 = (values.numpy().reshape(-1) for values in (spins.b0, spins.r2, spins.m0))
    u, v = (np.clip((values - it.middle) / it.half, -1, 1) for values, it in ((field, b0), (rate, r2)))
    j, k = found.degrees.T[:, :, None]
    waves = np.cos(j * np.arccos(u)) * np.cos(k * np.arccos(v))
    # the readout's begin, where e^(r2 t) is largest, is what tolerances are measured by
    exact = np.exp((2j * np.pi * field - rate) * times[:, None])
    errors = np.abs(found.coefficients(times).T @ waves - exact) @ m0 / m0.sum()
    assert errors.max() < tolerance * np.exp(r2.high * half)
    # where there are many terms at least one of them goes
    assert len(found.degrees) <= len(expansion(half, b0, r2, tolerance).degrees) - (tolerance < 1e-4)
