"""Matching is a projection: it finds entries themselves, knows no scale, and does not depend on how it is cut up."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor

from spinloom.quantify.compression import Basis, compress, rotation, unit
from spinloom.quantify.dictionary import Dictionary, DictionaryError, dictionary_of
from spinloom.quantify.matching import Blocks, Matches, match


@cache
def recovery() -> tuple[Dictionary, Tensor, Tensor]:
    """Saturation recovery with a decay, of 60 x 40 tissues at 24 times: the dictionary, its numbers and signals."""
    t1 = torch.linspace(0.5, 3.0, 60, dtype=torch.float64).repeat_interleave(40)
    rate = torch.linspace(0.1, 0.6, 40, dtype=torch.float64).repeat(60)
    times = torch.linspace(0.1, 4.0, 24, dtype=torch.float64)
    signals = (1 - torch.exp(-times / t1[:, None])) * torch.exp(-rate[:, None] * times)
    units = {"t1": "s", "rate": "1/s"}
    return dictionary_of({"t1": t1, "rate": rate}, signals, units), torch.stack([t1, rate], dim=1), signals


def noisy(signals: Tensor, sigma: float) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return signals + sigma * torch.randn(signals.shape, generator=generator, dtype=signals.dtype)


def assert_same(first: Matches, second: Matches) -> None:
    torch.testing.assert_close(first.index, second.index, rtol=0, atol=0)
    torch.testing.assert_close(first.inner_product, second.inner_product, rtol=0, atol=0, equal_nan=True)
    for name, values in first.numbers.items():
        torch.testing.assert_close(values, second.numbers[name], rtol=0, atol=0, equal_nan=True)


def test_every_entry_matches_itself_exactly() -> None:
    dictionary, numbers, signals = recovery()
    found = match(dictionary, signals)
    assert torch.equal(found.index, torch.arange(signals.shape[0]))
    assert torch.equal(found.numbers["t1"], numbers[:, 0])
    assert torch.equal(found.numbers["rate"], numbers[:, 1])
    # sums of 24 products in double precision
    torch.testing.assert_close(found.inner_product, torch.ones(2400, dtype=torch.float64), rtol=0, atol=1e-14)
    torch.testing.assert_close(found.m0, torch.ones(2400, dtype=torch.float64), rtol=0, atol=1e-14)


def test_the_scale_of_a_voxel_is_its_m0_and_changes_nothing_else() -> None:
    dictionary, _, signals = recovery()
    measured = noisy(signals[::7], 0.01)
    scale = torch.logspace(-6, 6, measured.shape[0], dtype=torch.float64)
    plain, scaled = match(dictionary, measured), match(dictionary, scale[:, None] * measured)
    assert torch.equal(plain.index, scaled.index)
    torch.testing.assert_close(scaled.m0, scale * plain.m0, rtol=1e-12, atol=0)


def test_the_scale_of_an_entry_changes_m0_alone() -> None:
    dictionary, numbers, signals = recovery()
    scale = torch.linspace(0.1, 10, 2400, dtype=torch.float64)
    other = dictionary_of({"t1": numbers[:, 0]}, scale[:, None] * signals)
    measured = noisy(signals[::7], 0.01)
    plain, scaled = match(dictionary, measured), match(other, measured)
    assert torch.equal(plain.index, scaled.index)
    torch.testing.assert_close(scaled.m0, plain.m0 / scale[plain.index], rtol=1e-12, atol=0)


def test_the_match_is_the_entry_of_least_squares() -> None:
    """An independent solution: M0 of each entry by least squares, and the least residual of all."""
    dictionary, _, signals = recovery()
    measured = noisy(signals[::31], 0.05)
    m0 = (measured @ signals.T) / signals.square().sum(dim=1)
    residual = (measured[:, None, :] - m0[..., None] * signals).square().sum(dim=-1)
    found = match(dictionary, measured)
    assert torch.equal(found.index, residual.argmin(dim=1))


def test_the_error_falls_with_the_noise_until_the_grid_is_met() -> None:
    dictionary, numbers, signals = recovery()
    middle = (numbers[:, 0] > 1.0) & (numbers[:, 0] < 2.0)  # far from the ends of the grid, which bound errors
    errors = []
    for sigma in (0.002, 0.001, 0.0005, 1e-9):
        found = match(dictionary, noisy(signals, sigma))
        errors.append(float((found.numbers["t1"] - numbers[:, 0])[middle].square().mean().sqrt()))
    # to first order half of the noise is half of the error; below the steps of the grid, where the truth lies, less
    assert 0.4 < errors[1] / errors[0] < 0.6
    assert errors[2] / errors[1] < 0.6
    assert errors[3] == 0


@pytest.mark.parametrize(
    "blocks", [Blocks(50, 1, 40), Blocks(1, 9, 50), Blocks(100, 7, 5), Blocks(2399, 4096, 3), Blocks(33, 64, 10_000)]
)
def test_blocks_of_any_size_give_the_same_maps(blocks: Blocks) -> None:
    dictionary, _, signals = recovery()
    measured = noisy(signals[::97], 0.03)
    assert_same(match(dictionary, measured), match(dictionary, measured, blocks=blocks))


@pytest.mark.parametrize("blocks", [Blocks(), Blocks(2, 2, 2), Blocks(5, 1, 1)], ids=["whole", "across", "alone"])
def test_of_equal_entries_the_first_is_taken(blocks: Blocks) -> None:
    signals = torch.tensor([[1.0, 2, 0], [0, 1, 1], [0, 1, 1], [2, 4, 0], [0, 3, 3]])
    found = match(dictionary_of({"n": torch.arange(5)}, signals), torch.tensor([[0.0, 5, 5], [1, 2, 0]]), blocks=blocks)
    assert found.index.tolist() == [1, 0]


def test_entries_that_single_precision_cannot_tell_apart_near_one_are_told_apart() -> None:
    """Neighbours whose inner product is 1 - 5e-13: between 1 and the next lower float32 lies 6e-8."""
    angle = 0.5 + 1e-6 * torch.arange(400, dtype=torch.float64)
    signals = torch.stack([angle.cos(), angle.sin()], dim=1)
    neighbours = (unit(signals[:-1]) * unit(signals[1:])).sum(dim=1)
    assert float(neighbours.min()) > 1 - 1e-12
    assert torch.equal(match(dictionary_of({"angle": angle}, signals), signals).numbers["angle"], angle)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_voxels_without_a_signal_are_left_out(value: float) -> None:
    dictionary, _, signals = recovery()
    measured = signals[:3].clone()
    measured[1] = value
    found = match(dictionary, measured)
    assert found.left_out.tolist() == [False, True, False]
    assert found.index.tolist() == [0, -1, 2]
    assert found.numbers["rate"].isnan().tolist() == [False, True, False]
    assert found.m0.isnan().tolist() == [False, True, False]
    assert match(dictionary, measured[1:2]).index.tolist() == [-1]


def test_a_basis_of_full_rank_changes_nothing() -> None:
    dictionary, _, signals = recovery()
    measured = noisy(signals[::11], 0.02)
    assert_same(match(dictionary, measured), match(dictionary, measured, compress(dictionary, rank=24)))


@pytest.mark.parametrize("rank", [1, 3, 6, 24])
def test_the_energy_loss_is_what_the_entries_have_outside_the_basis(rank: int) -> None:
    dictionary, _, signals = recovery()
    basis = compress(dictionary, rank=rank)
    kept = basis.coordinates(signals).square().sum(dim=1)
    # the energy of 2,400 unit signals to rounding
    assert basis.energy_loss == pytest.approx(float((1 - kept).mean()), abs=1e-13)
    singular = torch.linalg.svdvals(unit(signals)).square()
    assert basis.energy_loss == pytest.approx(float(singular[rank:].sum() / singular.sum()), abs=1e-13)


def test_an_energy_loss_gives_the_least_rank_that_has_it() -> None:
    dictionary, _, _ = recovery()
    basis = compress(dictionary, energy_loss=1e-5)
    assert basis.energy_loss <= 1e-5 < compress(dictionary, rank=basis.rank - 1).energy_loss


def test_singular_vectors_are_orthonormal_and_their_largest_component_is_positive() -> None:
    vectors = compress(recovery()[0], rank=5).vectors
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(5, dtype=torch.float64), rtol=0, atol=1e-14)
    assert (vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True)) > 0).all()


def test_compression_changes_inner_products_by_no_more_than_what_lies_outside() -> None:
    """<d, s> - <d', s'> is the inner product of what is lost of both, so that Cauchy and Schwarz bound it."""
    dictionary, _, signals = recovery()
    measured, basis = noisy(signals[::13], 0.02), compress(dictionary, energy_loss=1e-6)
    d, s = unit(signals), unit(measured)
    apart = (s @ d.T - basis.coordinates(measured) @ basis.coordinates(signals).T).abs()
    outside = [(1 - basis.coordinates(rows).square().sum(dim=1)).clamp(min=0).sqrt() for rows in (measured, signals)]
    assert (apart <= outside[0][:, None] * outside[1] + 1e-15).all()
    full, less = match(dictionary, measured), match(dictionary, measured, basis)
    # so the entry found in the basis is as good as the best, to twice that bound
    worst = 2 * outside[0] * outside[1].max()
    assert (full.inner_product - less.inner_product <= worst + 1e-12).all()
    assert (full.inner_product >= less.inner_product - 1e-12).all()


def test_the_rotation_loses_nothing() -> None:
    basis = rotation(recovery()[0])
    assert isinstance(basis, Basis)
    assert basis.energy_loss == 0
    torch.testing.assert_close(basis.vectors @ basis.vectors.T, torch.eye(24, dtype=torch.float64), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "either the rank .* or the energy loss"),
        ({"rank": 2, "energy_loss": 0.1}, "either the rank .* or the energy loss"),
        ({"rank": 0}, "give 1 to 24"),
        ({"rank": 25}, "give 1 to 24"),
        ({"energy_loss": 1.5}, "give a share from 0 to below 1"),
    ],
)
def test_a_compression_that_cannot_be_is_refused(options: dict, reason: str) -> None:
    with pytest.raises(DictionaryError, match=reason):
        compress(recovery()[0], **options)


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        (torch.ones(3, 23), "have 24 measurements; match it with data of the same sequence"),
        (torch.ones(24), "have 24 measurements"),
        (torch.ones(2, 24, dtype=torch.complex64), "give magnitudes"),
    ],
)
def test_signals_that_do_not_fit_are_refused(signals: Tensor, reason: str) -> None:
    with pytest.raises(DictionaryError, match=reason):
        match(recovery()[0], signals)
