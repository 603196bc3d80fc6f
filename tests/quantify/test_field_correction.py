"""B0 correction moves spectra back, agrees with scipy's interpolation, and never guesses beyond what was measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator

from spinloom.quantify.field_correction import correct_b0
from spinloom.quantify.least_squares import FitError

OFFSETS = np.concatenate([np.arange(-6, -2, 0.5), np.arange(-2, 2, 0.1), np.arange(2, 6.1, 0.5)])
GENERATOR = torch.Generator().manual_seed(4)
SHIFTS = torch.rand(30, generator=GENERATOR, dtype=torch.float64) - 0.5
WALKS = torch.randn(30, OFFSETS.size, generator=GENERATOR, dtype=torch.float64).cumsum(-1)


def by_numpy(offsets: np.ndarray, walk: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.interp(at, offsets, walk, left=np.nan, right=np.nan)


def by_scipy(offsets: np.ndarray, walk: np.ndarray, at: np.ndarray) -> np.ndarray:
    return PchipInterpolator(offsets, walk, extrapolate=False)(at)


@pytest.mark.parametrize(("method", "reference"), [("linear", by_numpy), ("pchip", by_scipy)])
def test_every_voxel_agrees_with_the_reference_interpolation(method: str, reference: Callable[..., np.ndarray]) -> None:
    wanted, corrected = correct_b0(OFFSETS, WALKS, SHIFTS, method=method)
    for walk, shift, row in zip(WALKS, SHIFTS, corrected, strict=True):
        expected = reference(OFFSETS, walk.numpy(), wanted + shift.item())
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-11, equal_nan=True)


def test_a_shifted_dip_comes_back_to_where_it_belongs() -> None:
    """A monotone cubic never dips below the lowest sample: (h / 2)^2 Z'' / 2 = 0.01 for 1 ppm wide on h = 0.1 ppm."""

    def dip(centre: torch.Tensor) -> torch.Tensor:
        return 1 - 1 / (1 + (torch.from_numpy(OFFSETS) - centre[:, None]) ** 2 / 0.25)

    shifts = torch.tensor([-0.33, 0.0, 0.47], dtype=torch.float64)
    offsets, corrected = correct_b0(OFFSETS, dip(shifts), shifts, wanted_ppm=np.arange(-1, 1.01, 0.1))
    truth = 1 - 1 / (1 + torch.from_numpy(offsets) ** 2 / 0.25)
    assert (corrected - truth).abs().max() < 0.01


def test_noise_of_a_line_stays_a_line_and_its_error_follows_from_the_weights() -> None:
    """Linear interpolation averages two neighbours, so that noise of 0.01 stays at most 0.01: 5 of it over 1,000."""
    noise = 0.01 * torch.randn(20, OFFSETS.size, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    line = 0.5 + 0.05 * torch.from_numpy(OFFSETS)
    offsets, corrected = correct_b0(OFFSETS, line + noise, torch.full((20,), 0.04).double(), method="linear")
    wrong = corrected - (0.5 + 0.05 * (torch.from_numpy(offsets) + 0.04))
    assert wrong[:, :-1].abs().max() < 0.05
    assert corrected[:, -1].isnan().all()


def test_beyond_the_measured_offsets_is_nan() -> None:
    offsets, corrected = correct_b0(OFFSETS, WALKS[:2], torch.tensor([0.6, -0.6], dtype=torch.float64))
    assert corrected[0].isnan().nonzero().flatten().tolist() == np.flatnonzero(offsets + 0.6 > 6).tolist()
    assert corrected[1].isnan().nonzero().flatten().tolist() == np.flatnonzero(offsets - 0.6 < -6).tolist()


def test_the_order_of_measurements_does_not_matter_and_repeats_are_averaged() -> None:
    order = np.argsort(np.sin(np.arange(OFFSETS.size)))
    straight = correct_b0(OFFSETS, WALKS, SHIFTS)[1]
    torch.testing.assert_close(correct_b0(OFFSETS[order], WALKS[:, order], SHIFTS)[1], straight, equal_nan=True)
    twice = correct_b0(np.repeat(OFFSETS, 2), WALKS.repeat_interleave(2, dim=1), SHIFTS)[1]
    torch.testing.assert_close(twice, straight, equal_nan=True)


def test_a_voxel_without_a_shift_is_nan() -> None:
    assert correct_b0(OFFSETS, WALKS[:1], torch.tensor([torch.nan]))[1].isnan().all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "pschip"}, "no interpolation 'pschip'. Did you mean 'pchip'"),
        ({"b0_shift_ppm": torch.zeros(3)}, r"B0 map has shape \(3,\), the spectra \(30,\); give one shift a voxel"),
        ({"offset_ppm": np.zeros(OFFSETS.size)}, "1 distinct offsets cannot be interpolated; give at least 2"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict, reason: str) -> None:
    with pytest.raises(FitError, match=reason):
        correct_b0(**{"offset_ppm": OFFSETS, "z": WALKS, "b0_shift_ppm": SHIFTS, **change})
