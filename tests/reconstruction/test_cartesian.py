"""A fully sampled grid gives the object back, however its lines were played; what is missing or odd is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spinloom.errors import ConfigurationError, RequirementError, SequenceError
from spinloom.reconstruction.not_cartesian import NotCartesianError
from spinloom.reconstruction.reconstruct import grid_centre, reconstruct
from spinloom.testing.fourier_sum import FOV, centred, grid_line, kspace_of, random_maps


@pytest.mark.parametrize(("columns", "rows"), [(16, 12), (15, 13), (16, 1)], ids=["even", "odd", "one line"])
def test_a_full_grid_gives_the_object_back(columns: int, rows: int) -> None:
    maps = random_maps(1, 1, rows, columns)
    image = reconstruct(kspace_of(maps, [grid_line(centred(columns), row) for row in centred(rows)]))
    assert image.data.shape == (1, 1, 1, rows, columns)
    np.testing.assert_allclose(image.data[0, 0], maps[0], atol=1e-12)
    assert image.fov == FOV
    assert image.notes == ()


def test_order_direction_and_half_samples_of_lines_do_not_matter() -> None:
    """EPI plays lines to and fro, samples them half a dwell from their ends, and may interleave them."""
    maps = random_maps(2, 1, 12, 16)
    order = np.random.default_rng(4).permutation(centred(12))
    lines = [grid_line((centred(16) + 0.5) * (-1) ** number, row) for number, row in enumerate(order)]
    np.testing.assert_allclose(reconstruct(kspace_of(maps, lines)).data[0], maps, atol=1e-12)


def test_lines_to_and_fro_that_sample_other_places_fit_together() -> None:
    """A delay of the receiver shifts the places of backward lines against those of forward ones."""
    maps = random_maps(1, 1, 12, 16)
    lines = [grid_line((centred(16) + 0.3) * (-1) ** number, row) for number, row in enumerate(centred(12))]
    np.testing.assert_allclose(reconstruct(kspace_of(maps, lines)).data[0], maps, atol=1e-12)


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2)])
def test_volumes_come_with_their_axes_wherever_lines_run(axes: tuple[int, int, int]) -> None:
    counts = (8, 6, 5)  # along x, y, z
    maps = random_maps(1, *reversed(counts))
    along, across, through = (centred(counts[axis]) for axis in axes)
    lines = [grid_line(along, row, plane, axes) for plane in through for row in across]
    np.testing.assert_allclose(reconstruct(kspace_of(maps, lines)).data[0], maps, atol=1e-12)


def test_oversampling_is_cropped_and_a_larger_matrix_interpolates() -> None:
    maps = np.zeros((1, 1, 12, 16), dtype=complex)
    maps[0, 0, 7, 9] = 1
    lines = [grid_line((np.arange(32) - 16) / 2, row) for row in centred(12)]
    kspace = kspace_of(maps, lines)
    image = reconstruct(kspace)
    assert image.data.shape[2:] == (1, 12, 16)
    np.testing.assert_allclose(image.data[0], maps, atol=1e-12)
    finer = reconstruct(kspace, matrix=(64, 48, 1)).data[0, 0, 0]
    assert np.unravel_index(int(finer.abs().argmax()), finer.shape) == (28, 36)
    np.testing.assert_allclose(finer[::4, ::4], maps[0, 0], atol=1e-12)


def test_fine_isochromats_give_an_image_of_the_size_of_m0() -> None:
    """What four isochromats across a voxel hold is their mean, up to the ringing of its edges."""
    maps = np.zeros((1, 1, 64, 64))
    maps[..., 16:48, 16:48] = 0.8
    image = reconstruct(kspace_of(maps, [grid_line(centred(16), row) for row in centred(16)]))
    assert image.data[0, 0, 0, 6:10, 6:10].real.mean() == pytest.approx(0.8, rel=0.02)
    assert image.data.mean().real == pytest.approx(maps.mean(), rel=0.05)


def ramp_sampled(count: int) -> np.ndarray:
    """Positions under a trapezoid whose ramps last a quarter each, at least as dense as whole cycles."""
    time = (np.arange(2 * count) + 0.5) / (2 * count)
    gradient = np.minimum(np.minimum(time, 1 - time) / 0.25, 1.0)
    moment = np.cumsum(gradient) - gradient / 2
    return (moment / moment[-1] - 0.5) * count


def test_lines_sampled_on_ramps_give_the_image_of_even_samples() -> None:
    """To the 1e-5 that `resampling` promises for dense samples and an object that keeps from the edge."""
    maps = np.zeros((1, 1, 8, 32), dtype=complex)
    maps[..., 3:29] = random_maps(1, 1, 8, 26)
    uneven = [grid_line(ramp_sampled(32) * (-1) ** number, row) for number, row in enumerate(centred(8))]
    found = reconstruct(kspace_of(maps, uneven)).data[0]
    assert found.shape == maps.shape
    np.testing.assert_allclose(found, maps, atol=1e-5 * np.abs(maps).sum(axis=3).max())


def test_partial_fourier_keeps_resolution_and_says_what_is_missing() -> None:
    maps = random_maps(1, 1, 16, 8)
    image = reconstruct(kspace_of(maps, [grid_line(centred(8), row) for row in range(-2, 8)]))
    assert image.data.shape[2:] == (1, 16, 8)
    full = kspace_of(maps, [grid_line(centred(8), row) for row in centred(16)])
    full.samples.reshape(16, 8)[:6] = 0
    np.testing.assert_allclose(image.data, reconstruct(full).data, atol=1e-12)


def test_gaps_and_undersampling_are_noted() -> None:
    maps = random_maps(1, 1, 16, 8)
    gaps = reconstruct(kspace_of(maps, [grid_line(centred(8), row) for row in (-8, -7, -5, 0, 6, 7)]))
    assert gaps.notes == ("10 of 16 places along y are never sampled and count as zero.",)
    folded = reconstruct(kspace_of(maps, [grid_line(centred(8), row) for row in range(-8, 8, 2)]))
    assert "Lines are 2 cells apart along y: what lies beyond 0.12 m folds into the image." in folded.notes
    np.testing.assert_allclose(folded.data[0, 0], (maps + np.roll(maps, 8, axis=2))[0] / 1, atol=1e-12)


def test_a_shifted_train_has_the_image_of_the_unshifted_one_about_its_own_centre() -> None:
    """MOLED: shift gradients after each excitation leave the trajectory far from its grid's centre."""
    maps = random_maps(1, 1, 16, 16)
    lines = [grid_line(centred(16)[:: (-1) ** number], row) for number, row in enumerate(centred(16))]
    shift = np.array([-6.3 / FOV[0], 4.7 / FOV[1], 0.0])
    plain, shifted = kspace_of(maps, lines), kspace_of(maps, [line + shift for line in lines])
    origin = grid_centre(shifted)
    np.testing.assert_allclose(origin, shift, atol=1e-9)
    assert grid_centre(plain) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
    image = reconstruct(shifted, origin=origin)
    assert image.data.shape == (1, 1, 1, 16, 16)
    x, y = centred(16) * 6.3 / 16, centred(16)[:, None] * 4.7 / 16
    np.testing.assert_allclose(image.data[0], maps * np.exp(2j * np.pi * (y - x)), atol=1e-10)
    assert reconstruct(shifted).data.shape[3:] == (26, 28)  # as if the far side had not been sampled


def test_coils_combine_by_the_root_of_the_sum_of_squares() -> None:
    maps = random_maps(3, 1, 8, 8)
    image = reconstruct(kspace_of(maps, [grid_line(centred(8), row) for row in centred(8)]))
    np.testing.assert_allclose(image.magnitude[0], np.sqrt((np.abs(maps) ** 2).sum(axis=0)), atol=1e-12)


@pytest.mark.parametrize("fov", [(0.1, 0.12, 0.05), (100.0, 120.0, 50.0)], ids=["metres", "millimetres"])
def test_the_file_states_the_field_of_view(fov: tuple[float, float, float]) -> None:
    """Half the phantom's: every second position of its grid encodes it, and the object must fit in."""
    maps = np.zeros((1, 1, 16, 16), dtype=complex)
    maps[..., 4:12, 4:12] = random_maps(1, 1, 8, 8)
    lines = [grid_line(2 * centred(8), 2 * row) for row in centred(8)]
    image = reconstruct(kspace_of(maps, lines), {"FOV": fov})
    assert image.fov == pytest.approx((0.1, 0.12, 0.05))
    np.testing.assert_allclose(image.data[0], maps[..., 4:12, 4:12], atol=1e-12)


def test_images_are_linear_in_samples_and_carry_gradients() -> None:
    maps = random_maps(1, 1, 6, 8)
    kspace = kspace_of(maps, [grid_line(centred(8), row) for row in centred(6)])
    kspace.samples.requires_grad_()
    image = reconstruct(kspace).data
    weights = torch.from_numpy(random_maps(*image.shape))
    (image * weights).real.sum().backward()
    step = torch.from_numpy(random_maps(*kspace.samples.shape))
    moved = reconstruct(type(kspace)(**{**vars(kspace), "samples": (kspace.samples + step).detach()})).data
    expected = ((moved - image.detach()) * weights).real.sum()
    assert kspace.samples.grad is not None
    assert (kspace.samples.grad.conj() * step).real.sum() == pytest.approx(float(expected), rel=1e-9)


def test_single_precision_stays_single() -> None:
    maps = random_maps(1, 1, 6, 8)
    kspace = kspace_of(maps, [grid_line(centred(8), row) for row in centred(6)])
    image = reconstruct(type(kspace)(**{**vars(kspace), "samples": kspace.samples.to(torch.complex64)}))
    assert image.data.dtype == torch.complex64
    np.testing.assert_allclose(image.data[0], maps, atol=1e-5)


def test_no_samples_and_wrong_settings_are_refused() -> None:
    maps = random_maps(1, 1, 6, 8)
    with pytest.raises(RequirementError, match="takes no ADC sample"):
        reconstruct(kspace_of(maps, []))
    kspace = kspace_of(maps, [grid_line(centred(8), row) for row in centred(6)])
    for settings, complaint in (
        ({"method": "grid"}, "method is 'grid'. Known: auto, cartesian, nufft"),
        ({"fov": (0.2, 0.0, 0.1)}, "three positive lengths in metres"),
        ({"matrix": (8, 8, 0)}, "three counts of voxels"),
        ({"repeats": "mean"}, "repeats is 'mean'"),
    ):
        with pytest.raises(ConfigurationError, match=complaint):
            reconstruct(kspace, **settings)  # type: ignore[arg-type]


def test_samples_off_lines_and_lines_off_a_grid_are_refused_by_what_they_do() -> None:
    maps = random_maps(1, 1, 6, 8)
    angles = np.linspace(0, np.pi, 9)[:-1]
    spokes = [np.stack([np.cos(a) * centred(8), np.sin(a) * centred(8), 0 * centred(8)], axis=1) / 0.2 for a in angles]
    with pytest.raises(NotCartesianError, match=r"no line along [xy] as the others .* Take method='nufft'"):
        reconstruct(kspace_of(maps, spokes), method="cartesian")
    uneven = [grid_line(centred(8), row) for row in (-3, -2, -0.6, 0.4, 1)]
    with pytest.raises(NotCartesianError, match=r"not evenly spaced along y: one lies at -0\.6 cycles"):
        reconstruct(kspace_of(maps, uneven), method="cartesian")
    lengths = [grid_line(centred(8), 0), grid_line(centred(6), 1)]
    with pytest.raises(SequenceError, match="ADC events 1 and 0 take 6 and 8 samples"):
        reconstruct(kspace_of(maps, lengths))
    assert reconstruct(kspace_of(maps, lengths), events=np.array([0])).data.shape[-1] == 8
