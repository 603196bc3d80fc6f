"""Posterior means: what a direct sum gives, what theory says of linear problems, and better than the best entry."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spinloom.quantify.dictionary import Dictionary, DictionaryError, dictionary_of
from spinloom.quantify.matching import Blocks, match
from spinloom.quantify.posterior import Posterior, posterior

TIMES = torch.linspace(0.1, 4.0, 16, dtype=torch.float64)


def decays(count: int) -> tuple[Dictionary, Tensor, Tensor]:
    """A dictionary of decays, its rates [1/s] and signals."""
    rate = torch.linspace(0.2, 2.0, count, dtype=torch.float64)
    signals = torch.exp(-rate[:, None] * TIMES)
    return dictionary_of({"rate": rate}, signals, {"rate": "1/s"}), rate, signals


def noise(*shape: int, sigma: float) -> Tensor:
    return sigma * torch.randn(*shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def found_in(dictionary: Dictionary, measured: Tensor, blocks: Blocks | None = None) -> Posterior:
    return posterior(dictionary, measured, match(dictionary, measured), blocks)


def test_means_and_deviations_are_those_of_a_sum_over_all_entries() -> None:
    draw = torch.Generator().manual_seed(3)
    numbers = {name: torch.rand(500, generator=draw, dtype=torch.float64) for name in ("a", "b")}
    signals = torch.stack([1 + numbers["a"] * t + numbers["b"] ** 2 * t**2 for t in TIMES], dim=1)
    measured = 3.0 * signals[::25] + noise(20, 16, sigma=2.0)
    units = [values / values.norm(dim=1, keepdim=True) for values in (measured, signals)]
    weight = (1 - (units[0] @ units[1].T) ** 2) ** (-15 / 2)
    weight = weight / weight.sum(dim=1, keepdim=True)
    found = found_in(dictionary_of(numbers, signals), measured)
    for name, values in numbers.items():
        mean = weight @ values
        # what is left out is 1e-6 of the best entry's weight at most for each of 500
        torch.testing.assert_close(found.mean[name], mean, atol=5e-4, rtol=0)
        spread = (weight @ values**2 - mean**2).sqrt()
        torch.testing.assert_close(found.deviation[name], spread, atol=5e-4, rtol=0)


def test_the_deviation_of_one_number_is_that_of_students_distribution() -> None:
    """t with n - 2 degrees of freedom about the least squares fit, as wide as the curve's tangent says."""
    dictionary, rate, signals = decays(40_001)
    truth = 16_000
    measured = signals[truth] + noise(200, 16, sigma=2e-3)
    matches = match(dictionary, measured)
    found = posterior(dictionary, measured, matches)
    best = signals[matches.index]
    tangent = -TIMES * best
    across = tangent - (tangent * best).sum(1, keepdim=True) / best.square().sum(1, keepdim=True) * best
    rest = measured.square().sum(1) * (1 - matches.inner_product**2)
    error = (rest / 14).sqrt() / (matches.m0 * across.norm(dim=1))
    # the curve bends by a few percent over the noise, which is the width of the tails
    torch.testing.assert_close(found.deviation["rate"], error * (14 / 12) ** 0.5, rtol=0.02, atol=0)
    assert ((found.mean["rate"] - rate[matches.index]).abs() < 0.1 * error).all()


def test_without_noise_the_mean_is_the_entry_itself() -> None:
    dictionary, rate, signals = decays(4001)
    found = found_in(dictionary, signals)
    torch.testing.assert_close(found.mean["rate"], rate, atol=1e-9, rtol=0)
    assert float(found.deviation["rate"].max()) < 1e-6


def test_between_coarse_entries_the_mean_errs_less_than_the_best_entry() -> None:
    dictionary, _, _ = decays(25)
    rate = 0.3 + 1.5 * torch.rand(2000, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    measured = torch.exp(-rate[:, None] * TIMES) + noise(2000, 16, sigma=0.03)
    matches = match(dictionary, measured)
    found = posterior(dictionary, measured, matches)
    best, mean = ((values - rate).square().mean() for values in (matches.numbers["rate"], found.mean["rate"]))
    assert float(mean) < float(best)


def test_blocks_of_any_size_give_the_same_means() -> None:
    dictionary, _, signals = decays(700)
    measured = signals[::90] + noise(8, 16, sigma=0.02)
    measured[2] = torch.nan
    whole, cut = found_in(dictionary, measured), found_in(dictionary, measured, Blocks(100, 9, 3))
    assert whole.mean["rate"].isnan().tolist() == [row == 2 for row in range(8)]
    torch.testing.assert_close(whole.mean["rate"], cut.mean["rate"], rtol=1e-12, atol=0, equal_nan=True)


def test_one_measurement_has_no_mean() -> None:
    dictionary = dictionary_of({"a": torch.arange(3.0)}, torch.rand(3, 1) + 1)
    signals = torch.rand(4, 1) + 1
    with pytest.raises(DictionaryError, match="one measurement"):
        posterior(dictionary, signals, match(dictionary, signals))
