"""The picture of a phantom shows every map with its unit, and says what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from spinloom.evaluation.canvas import png, svg
from spinloom.evaluation.phantom_figure import draw_phantom
from spinloom.evaluation.phantom_maps import constants, shown_maps
from spinloom.tissue.phantoms.door import phantom


def panels(figure: Figure) -> list:
    """Panels with a map in them."""
    return [axes for axes in figure.axes if axes.images]


def test_every_map_that_varies_has_a_panel_with_its_unit() -> None:
    made = phantom("brain_pools", matrix=24, b0_hz=[-50, 50], b1=[0.8, 1.2], t2_prime_s=[0.02, 0.1], coils=2)
    figure = draw_phantom(made)
    text = svg(figure).decode()
    for name in ("M₀", "T₁  [s]", "T₂  [ms]", "T₂′  [ms]", "ΔB₀  [Hz]", "B₁⁺  [of nominal]", "Pools", "Coil 2 of 2"):  # noqa: RUF001
        assert name in text
    assert len(panels(figure)) == 9
    assert "Everywhere alike" not in text
    for name in ("lesion", "CSF", "matter"):
        assert f">{name}<" in text


def test_maps_of_one_value_are_told_in_words() -> None:
    made = phantom("tubes", matrix=24, t1_s=1, t2_s=0.1, bath_m0=0, b1=0.9)
    text = svg(draw_phantom(made)).decode()
    assert constants(made) == ["T₁ 1 s", "T₂ 100 ms", "ΔB₀ 0 Hz", "B₁⁺ 0.9 of nominal"]
    assert "Everywhere alike: T₁ 1 s, T₂ 100 ms, ΔB₀ 0 Hz, B₁⁺ 0.9 of nominal" in text


def test_axes_are_in_millimetres_and_x_runs_to_the_right() -> None:
    made = phantom("shepp_logan", matrix=[20, 10], fov_mm=[200, 100])
    axes = panels(draw_phantom(made))[0]
    # ten voxels of 10 mm left of the middle one's left edge, nine right of its right edge
    assert axes.get_xlim() == pytest.approx((-105, 95))
    assert axes.get_ylim() == pytest.approx((-55, 45))
    np.testing.assert_array_equal(axes.images[0].get_array(), made.m0[0])
    text = svg(draw_phantom(made)).decode()
    assert "field of view 200 × 100 × 5 mm" in text  # noqa: RUF001
    assert "20 × 10 × 1 voxels of 10 × 10 × 5 mm" in text  # noqa: RUF001


def test_a_volume_shows_its_three_middle_planes() -> None:
    made = phantom("shepp_logan", matrix=[12, 10, 8])
    found = panels(draw_phantom(made))
    assert len(found) == 9
    for axes, plane in zip(found, (made.m0[4], made.m0[:, 5], made.m0[:, :, 6]), strict=False):
        np.testing.assert_array_equal(axes.images[0].get_array(), plane)


def test_times_are_left_out_where_nothing_is() -> None:
    made = phantom("tubes", matrix=32)
    times = next(shown for shown in shown_maps(made) if shown.title.startswith("T₁"))
    np.testing.assert_array_equal(np.isnan(times.values), (made.m0 == 0).numpy())
    assert times.high == 3


def test_wide_ranges_of_times_are_logarithmic_and_fields_symmetric_about_nominal() -> None:
    made = phantom("tubes", matrix=32, b0_hz=[-20, 90], b1=[0.9, 1.3])
    _, _, t2, b0, b1 = panels(draw_phantom(made))
    assert isinstance(t2.images[0].norm, LogNorm)
    assert (b0.images[0].norm.vmin, b0.images[0].norm.vmax) == (-90, 90)
    assert (b1.images[0].norm.vmin, b1.images[0].norm.vmax) == pytest.approx((0.7, 1.3))


def test_the_same_phantom_gives_the_same_picture() -> None:
    made = phantom("shapes", matrix=24)
    assert png(draw_phantom(made), dpi=50) == png(draw_phantom(made), dpi=50)
