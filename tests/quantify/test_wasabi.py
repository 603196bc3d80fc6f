"""WASABI recovers B0 and B1 over their range from the shipped sequence, played by the exact simulator, with noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom import Timeline, read_sequence, read_tissue, simulate
from spinloom.quantify.least_squares import Fit, FitError
from spinloom.quantify.wasabi import NAMES, WasabiPulse, fit_wasabi, nutation_pattern, wasabi_curve, wasabi_pulse
from spinloom.quantify.zspectrum import z_spectrum

NOISE = 0.01


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return read_sequence("wasabi_3t")


@pytest.fixture(scope="module")
def grid() -> tuple[Tensor, Tensor]:
    """B0 shifts [ppm] and relative B1 of 11 x 9 voxels."""
    b0, b1 = torch.meshgrid(torch.linspace(-0.8, 0.8, 11), torch.linspace(0.5, 1.4, 9), indexing="ij")
    return b0.flatten().double(), b1.flatten().double()


@pytest.fixture(scope="module")
def measured(timeline: Timeline, grid: tuple[Tensor, Tensor]) -> tuple[np.ndarray, Tensor, WasabiPulse]:
    """Offsets, clean spectra of the grid, and the pulse."""
    water = read_tissue("water_3t").map(lambda value: value.expand(grid[0].shape).clone())
    tissue = replace(water, b0_shift_ppm=grid[0], rel_b1=grid[1])
    spectrum = z_spectrum(simulate(sequence=timeline, tissue=tissue), timeline.definitions)
    kept = ~spectrum.m0_scans
    return spectrum.offset_ppm[kept], spectrum.mz_over_m0[:, kept], wasabi_pulse(timeline, float(tissue.larmor[0]))


def noisy(z: Tensor, seed: int = 5) -> Tensor:
    return z + NOISE * torch.randn(z.shape, generator=torch.Generator().manual_seed(seed), dtype=z.dtype)


@pytest.fixture(scope="module")
def fit(measured: tuple[np.ndarray, Tensor, WasabiPulse]) -> Fit:
    offsets, z, pulse = measured
    return fit_wasabi(offsets, noisy(z), pulse)


def test_the_pulse_is_what_the_file_plays(timeline: Timeline) -> None:
    pulse = wasabi_pulse(timeline, 127.7292e6)
    assert pulse.duration == pytest.approx(5e-3, rel=1e-9)
    assert pulse.nutation == pytest.approx(3.7 * 42.5764, rel=1e-5)


def test_b0_and_b1_are_recovered_over_the_grid(fit: Fit, grid: tuple[Tensor, Tensor]) -> None:
    """198 deviates from truth, in units of the Cramer-Rao bound, which the standard errors estimate.

    4 bounds are passed once in 80 seeds.  What the closed form leaves out (relaxation during the pulse) shifts the
    clean fit by 4e-4 ppm and 1.1e-3, which is added.
    """
    for name, truth, model_error in (("b0_shift_ppm", grid[0], 4e-4), ("rel_b1", grid[1], 1.1e-3)):
        assert ((fit[name] - truth).abs() <= 4 * fit.error(name) + model_error).all(), name
    assert fit.converged.all()


def test_standard_errors_reach_the_cramer_rao_bound(
    fit: Fit, grid: tuple[Tensor, Tensor], measured: tuple[np.ndarray, Tensor, WasabiPulse]
) -> None:
    """An error estimated from 77 degrees of freedom scatters by 8 %; the median of 99 by 1 %."""
    offsets, _, pulse = measured
    ones = torch.ones_like(grid[0])
    truth = torch.stack([*grid, ones, 2 * ones], dim=-1)
    jacobian = torch.func.vmap(torch.func.jacfwd(lambda p: wasabi_curve(p, torch.from_numpy(offsets), pulse)))(truth)
    bound = NOISE * torch.linalg.inv(jacobian.mT @ jacobian).diagonal(dim1=-2, dim2=-1).sqrt()
    assert (fit.errors / bound).median(dim=0).values.tolist() == pytest.approx([1.0] * 4, abs=0.06)


def test_a_positive_shift_moves_the_pattern_to_positive_offset(
    measured: tuple[np.ndarray, Tensor, WasabiPulse],
) -> None:
    offsets = torch.linspace(-2, 2, 81, dtype=torch.float64)
    one = torch.ones(())
    still, moved = (nutation_pattern(shift * one, one, offsets, measured[2]) for shift in (0.0, 0.5))
    torch.testing.assert_close(moved[10:], still[:-10])


def test_the_sign_that_a_magnitude_image_hides_does_not_matter(
    measured: tuple[np.ndarray, Tensor, WasabiPulse], fit: Fit
) -> None:
    offsets, z, pulse = measured
    torch.testing.assert_close(fit_wasabi(offsets, noisy(z).abs(), pulse).parameters, fit.parameters)


def test_a_voxel_with_nan_is_left_out(measured: tuple[np.ndarray, Tensor, WasabiPulse]) -> None:
    offsets, z, pulse = measured
    holed = z[:3].clone()
    holed[1, 4] = torch.nan
    fit = fit_wasabi(offsets, holed, pulse)
    assert fit.left_out.tolist() == [False, True, False]
    assert fit["rel_b1"].isnan().tolist() == [False, True, False]


def test_too_few_offsets_are_refused(measured: tuple[np.ndarray, Tensor, WasabiPulse]) -> None:
    offsets, z, pulse = measured
    with pytest.raises(FitError, match=f"4 offsets cannot determine 4 parameters .{', '.join(NAMES)}.*at least 5"):
        fit_wasabi(offsets[:4], z[:, :4], pulse)


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        ("aptw_3t_36pulses", "is shaped; name another sequence"),
        ("mrf_larginine_9p4t", r"plays \d+ that differ"),
    ],
)
def test_a_sequence_that_is_no_wasabi_is_refused(sequence: str, reason: str) -> None:
    with pytest.raises(FitError, match=reason):
        wasabi_pulse(read_sequence(sequence), 127.7292e6)
