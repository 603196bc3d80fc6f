"""Intervals of matches: they hold the truth as often as they say, and grow as the data know less."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spinloom.quantify.confidence import intervals
from spinloom.quantify.dictionary import Dictionary, DictionaryError, dictionary_of
from spinloom.quantify.matching import Blocks, match

TIMES = torch.linspace(0.1, 4.0, 16, dtype=torch.float64)


def decays(first: float, last: float, count: int) -> tuple[Dictionary, Tensor]:
    rate = torch.linspace(first, last, count, dtype=torch.float64)
    signals = torch.exp(-rate[:, None] * TIMES)
    return dictionary_of({"rate": rate}, signals, {"rate": "1/s"}), signals


def noise(*shape: int, sigma: float) -> Tensor:
    return sigma * torch.randn(*shape, generator=torch.Generator().manual_seed(11), dtype=torch.float64)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_hold_the_truth_as_often_as_their_level_says(level: float) -> None:
    dictionary, signals = decays(0.2, 2.0, 4001)
    truth, repeats = 1600, 2000
    measured = signals[truth] + noise(repeats, 16, sigma=0.01)
    found = intervals(dictionary, measured, match(dictionary, measured), level)
    rate = 0.2 + 1.8 * truth / 4000
    inside = (found.low["rate"] <= rate + 1e-9) & (rate - 1e-9 <= found.high["rate"])
    # four standard deviations of a share among 2000, and half a percent for what is not linear
    assert float(inside.double().mean()) == pytest.approx(level, abs=4 * (level * (1 - level) / repeats) ** 0.5 + 0.005)


def test_an_interval_is_as_wide_as_the_noise() -> None:
    dictionary, signals = decays(0.2, 2.0, 4001)
    widths = []
    for sigma in (0.004, 0.002):
        measured = signals[1600] + noise(500, 16, sigma=sigma)
        found = intervals(dictionary, measured, match(dictionary, measured))
        widths.append(float((found.high["rate"] - found.low["rate"]).mean()))
    # in proportion, but for steps of the grid of 1 % of the width
    assert widths[1] / widths[0] == pytest.approx(0.5, abs=0.02)


def test_without_noise_the_interval_is_the_entry_itself() -> None:
    dictionary, signals = decays(0.2, 2.0, 50)
    matches = match(dictionary, signals)
    found = intervals(dictionary, signals, matches)
    assert torch.equal(found.low["rate"], matches.numbers["rate"])
    assert torch.equal(found.high["rate"], matches.numbers["rate"])
    assert (found.entries == 1).all()


def test_a_number_that_the_signals_do_not_know_takes_its_whole_range() -> None:
    _, signals = decays(0.2, 2.0, 50)
    ghost = torch.arange(5, dtype=torch.float64)
    numbers = {"ghost": ghost.repeat(50), "rate": torch.linspace(0.2, 2.0, 50).repeat_interleave(5)}
    dictionary = dictionary_of(numbers, signals.repeat_interleave(5, dim=0))
    measured = signals[::10] + noise(5, 16, sigma=0.001)
    found = intervals(dictionary, measured, match(dictionary, measured))
    assert (found.low["ghost"] == 0).all()
    assert (found.high["ghost"] == 4).all()


def test_blocks_of_any_size_give_the_same_intervals() -> None:
    dictionary, signals = decays(0.2, 2.0, 700)
    measured = signals[::90] + noise(8, 16, sigma=0.02)
    measured[2] = torch.nan
    matches = match(dictionary, measured)
    whole = intervals(dictionary, measured, matches)
    cut = intervals(dictionary, measured, matches, blocks=Blocks(100, 9, 3))
    assert torch.equal(whole.entries, cut.entries)
    assert whole.entries[2] == 0
    assert whole.low["rate"].isnan().tolist() == [row == 2 for row in range(8)]
    for one, other in ((whole.low, cut.low), (whole.high, cut.high)):
        torch.testing.assert_close(one["rate"], other["rate"], rtol=0, atol=0, equal_nan=True)


def test_fewer_measurements_than_unknowns_give_no_interval() -> None:
    dictionary = dictionary_of({"a": torch.ones(3)}, torch.rand(3, 2))
    signals = torch.rand(4, 2)
    with pytest.raises(DictionaryError, match="2 measurements for 2 unknowns"):
        intervals(dictionary, signals, match(dictionary, signals))


def test_a_level_that_is_no_probability_is_refused() -> None:
    dictionary, signals = decays(0.2, 2.0, 5)
    with pytest.raises(DictionaryError, match="A level of 1 is no probability"):
        intervals(dictionary, signals, match(dictionary, signals), level=1)
