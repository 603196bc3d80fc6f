"""Pictures of images and of k-space: what they show, where, and of which image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import spinloom
from spinloom.evaluation.canvas import png
from spinloom.evaluation.imaging_figures import MOST_FRAMES, draw_image, plot_maps
from spinloom.evaluation.imaging_kspace import draw_kspace, first_frame
from spinloom.interfaces import KSpace
from spinloom.reconstruction.image import Image


def image(frames: int, side: int = 8, coils: int = 1) -> Image:
    """Frames of noise."""
    data = torch.randn(frames, coils, 1, side, side, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    return Image(data, (0.2, 0.2, 0.005), {"REP": np.arange(frames)} if frames > 1 else {})


def kspace(trajectory: np.ndarray, events: int, repeats: int = 1) -> KSpace:
    """Samples of magnitude 1 at `trajectory`, taken by `events` ADC events, all of it `repeats` times, labelled REP."""
    samples = len(trajectory) * repeats
    return KSpace(
        samples=torch.ones(1, samples, dtype=torch.complex64),
        time=np.arange(samples) * 1e-5,
        measurement=np.repeat(np.arange(events * repeats), len(trajectory) // events),
        trajectory=np.tile(trajectory, (repeats, 1)),
        labels={"REP": np.repeat(np.arange(repeats), events)} if repeats > 1 else {},
        fov=(0.2, 0.2, 0.005),
    )


def grid(side: int = 8, step: float = 5.0) -> np.ndarray:
    """Lines along x, one above the other along y [cycles/m]."""
    k = (np.arange(side) - side // 2) * step
    y, x = np.meshgrid(k, k, indexing="ij")
    return np.stack([x.ravel(), y.ravel(), np.zeros(side * side)], axis=1)


def test_a_single_image_shows_magnitude_and_phase() -> None:
    magnitude, phase = (axes for axes in draw_image(image(1)).axes if axes.get_title(loc="left"))
    assert magnitude.get_title(loc="left") == "Magnitude / M₀"
    assert phase.get_title(loc="left") == "Phase [rad]"
    # voxel 4 of 8 is centred at 0, so the picture begins 4.5 voxels of 25 mm below it
    assert tuple(magnitude.get_images()[0].get_extent()) == pytest.approx((-112.5, 87.5, -112.5, 87.5))


@pytest.mark.parametrize("names", [(), tuple(f"{number} ppm" for number in range(20))], ids=["labels", "names"])
def test_of_many_images_some_are_shown_on_one_scale_each_with_its_name(names: tuple[str, ...]) -> None:
    many = image(20)
    shown = [axes for axes in draw_image(many, names).axes if axes.get_images() and axes.get_title()]
    assert len(shown) == MOST_FRAMES
    assert shown[0].get_title() == (names[0] if names else "REP 0")
    assert shown[-1].get_title() == (names[-1] if names else "REP 19")
    limits = [axes.get_images()[0].get_clim() for axes in shown]
    assert limits == [(0.0, pytest.approx(float(many.magnitude.max())))] * MOST_FRAMES


def test_maps_stand_two_a_row_and_signed_ones_have_zero_in_the_middle() -> None:
    maps = {name: np.linspace(-1, 2, 64).reshape(8, 8) for name in ("one", "two", "three")}
    axes = [axes for axes in plot_maps(maps, (0.2, 0.2, 0.005), signed=("two",)).axes if axes.get_title(loc="left")]
    limits = [item.get_images()[0].get_clim() for item in axes]
    assert limits[1][0] == -limits[1][1]
    assert limits[0][0] == limits[2][0] == 0.0
    assert axes[0].get_position().y0 == axes[1].get_position().y0 > axes[2].get_position().y0


def test_samples_of_a_full_grid_leave_no_place_empty() -> None:
    (axes, _) = draw_kspace(kspace(grid(), 8)).axes
    picture = axes.get_images()[0].get_array()
    assert np.isfinite(np.asarray(picture)).all()
    assert axes.get_images()[0].get_extent() == pytest.approx((-22.5, 17.5, -22.5, 17.5))


def test_lines_that_are_missing_are_seen_to_be_missing() -> None:
    lines = grid(16).reshape(16, 16, 3)
    (axes, _) = draw_kspace(kspace(lines[[*range(8), *range(11, 16)]].reshape(-1, 3), 13)).axes
    picture = np.ma.filled(axes.get_images()[0].get_array(), np.nan)
    empty = np.isnan(picture).all(axis=1)
    # three of 16 lines, less a quarter of a cell at either side that the neighbours reach over
    assert empty.mean() == pytest.approx((3 - 0.5) / 16, abs=0.01)


@pytest.mark.parametrize("turn", [0.0, 0.3], ids=["on the grid", "turned"])
def test_the_brightest_place_is_where_its_sample_lies(turn: float) -> None:
    rotation = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    places = grid(16) @ rotation
    plain = kspace(places, 16)
    strength = torch.full_like(plain.samples, 0.01)
    strength[0, 37] = 1.0
    (axes, _) = draw_kspace(replace(plain, samples=strength)).axes
    shown = axes.get_images()[0]
    picture = np.ma.filled(shown.get_array(), 0.0)
    row, column = (np.mean(index) for index in np.nonzero(picture == picture.max()))
    left, right, bottom, top = shown.get_extent()
    x = left + (column + 0.5) / picture.shape[1] * (right - left)
    y = bottom + (row + 0.5) / picture.shape[0] * (top - bottom)
    assert (x, y) == pytest.approx(tuple(places[37, :2]), abs=0.5)  # a tenth of a cell


def test_of_several_images_the_samples_of_the_first_are_drawn() -> None:
    repeated = kspace(grid(), 8, repeats=3)
    assert first_frame(repeated, None).size == 3 * 64
    assert np.array_equal(first_frame(repeated, image(3)), np.arange(64))
    visits = Image(image(3).data, (0.2, 0.2, 0.005), {"visit": np.arange(3)})
    assert np.array_equal(first_frame(replace(repeated, labels={}), visits), np.arange(64))
    (axes, _) = draw_kspace(repeated, image(3)).axes
    assert axes.get_title(loc="left") == "|S| / M₀, first image"


def test_of_a_volume_the_plane_through_the_centre_is_drawn() -> None:
    planes = [grid() + np.array([0.0, 0.0, 100.0 * plane]) for plane in (-1, 0, 1)]
    stacked = kspace(np.concatenate(planes), 24)
    strength = torch.zeros_like(stacked.samples)
    strength[0, 64:128] = 1.0
    volume = replace(stacked, samples=strength, fov=(0.2, 0.2, 0.01))
    picture = np.asarray(draw_kspace(volume).axes[0].get_images()[0].get_array())
    assert picture.min() == pytest.approx(1.0)


def test_samples_of_nothing_can_be_drawn() -> None:
    silent = replace(kspace(grid(), 8), samples=torch.zeros(1, 64, dtype=torch.complex64))
    assert png(draw_kspace(silent)).startswith(b"\x89PNG")
    assert png(draw_image(Image(torch.zeros(2, 1, 1, 4, 4, dtype=torch.complex64), (0.2, 0.2, 0.005), {})))


def test_the_front_page_draws_maps() -> None:
    assert png(spinloom.plot_maps({"nothing": np.full((4, 4), np.nan)}, (0.2, 0.2, 0.005)))
