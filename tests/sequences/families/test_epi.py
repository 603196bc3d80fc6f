"""Echo-planar imaging: where its samples are in k-space and when its lines come, with and without ramp sampling."""

from __future__ import annotations

import numpy as np
import pytest

FOV, N = 0.22, 128
GRID = 1e-3 / FOV
"""How far a sample may be from its grid point [cycles/m]: six digits of amplitudes, over N cycles of moment."""
CLOCK = 1e-10
"""Rounding of sums of times [s]."""

FLAT = {
    "defaults": "epi()",
    "sinc pulse": "epi(rf=sinc)",
    "shortest published spacing": "epi(esp_ms=0.375)",
    "longest published spacing": "epi(esp_ms=0.55)",
    "odd multiple of the raster": "epi(esp_ms=0.45, rf=sinc)",
    "a whole-body scanner": "epi(esp_ms=0.8, max_grad_mt_m=80, max_slew_t_m_s=200)",
}
RAMPS = {
    "ramps": "epi(ramp_sampling=true)",
    "ramps of a whole-body scanner": "epi(ramp_sampling=true, esp_ms=0.54, max_grad_mt_m=80, max_slew_t_m_s=200)",
}


@pytest.mark.parametrize("expression", FLAT.values(), ids=FLAT)
def test_every_sample_is_on_the_grid_in_both_directions(expression: str, walk) -> None:
    walked = walk(expression)
    k = walked.pathway(*walked.pulses("excitation"), [], walked.time)
    forward = np.where(walked.line % 2, N - 1 - walked.index, walked.index)
    expected = np.stack([forward - N // 2, walked.line - N // 2, 0 * forward], axis=1) / FOV
    np.testing.assert_allclose(k, expected, atol=GRID)


@pytest.mark.parametrize("expression", [*FLAT.values(), *RAMPS.values()], ids=[*FLAT, *RAMPS])
def test_line_l_crosses_kx_0_at_te_plus_its_distance_from_the_middle_in_spacings(expression: str, walk) -> None:
    walked = walk(expression)
    stated = walked.timeline.definitions
    (excited,) = walked.pulses("excitation")
    count = walked.index.max() + 1
    crossing = np.where(walked.line % 2, count // 2 - 1, count // 2) == walked.index
    since = walked.time[crossing] - excited
    np.testing.assert_allclose(since, stated["TE"] + (np.arange(N) - N // 2) * stated["ESP"], atol=CLOCK)
    np.testing.assert_allclose(walked.pathway(excited, [], walked.time[crossing])[:, 0], 0, atol=GRID)


@pytest.mark.parametrize("expression", RAMPS.values(), ids=RAMPS)
def test_ramp_sampling_covers_the_grid_no_sparser_than_it_with_the_same_points_in_both_directions(
    expression: str, walk
) -> None:
    walked = walk(expression)
    k = walked.pathway(*walked.pulses("excitation"), [], walked.time)[:, 0].reshape(N, -1)
    k[1::2] = k[1::2, ::-1]
    np.testing.assert_allclose(k, np.broadcast_to(k[0], k.shape), atol=GRID)
    assert k[0, 0] == pytest.approx(-N / 2 / FOV, rel=1e-5)
    assert k[0, -1] >= (N / 2 - 1) / FOV
    assert np.diff(k[0]).max() <= (1 + 1e-5) / FOV
    assert np.diff(k[0]).min() < 0.9 * np.diff(k[0]).max()  # there are ramps among the samples


def test_labels_tell_the_line_and_its_direction(walk) -> None:
    timeline = walk("epi()").timeline
    readouts = [block for block in timeline.blocks() if block.adc is not None]
    for line, block in enumerate(readouts):
        labels = {item.name: item.value for item in block.extensions}
        backwards = int(block.gradients["x"].amplitude < 0)
        assert labels == {"LIN": line, "REV": backwards, "SEG": backwards}


def test_the_last_line_is_followed_by_no_blip(walk) -> None:
    timeline = walk("epi()").timeline
    blips = ["y" in block.gradients for block in timeline.blocks() if block.adc is not None]
    assert blips == [True] * (N - 1) + [False]


@pytest.mark.parametrize("matrix", [32, 50, 64, 130])
def test_any_even_matrix_is_on_its_grid(matrix: int, walk) -> None:
    walked = walk(f"epi(matrix={matrix}, te_ms=90, esp_ms=0.8, fov_mm=192)")
    k = walked.pathway(*walked.pulses("excitation"), [], walked.time)
    forward = np.where(walked.line % 2, matrix - 1 - walked.index, walked.index)
    expected = np.stack([forward, walked.line], axis=1) - matrix // 2
    np.testing.assert_allclose(k[:, :2] * 0.192, expected, atol=1e-3)
