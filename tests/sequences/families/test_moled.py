"""MOLED: four pathways, each with its own echo centre and echo time in one train, as Huang et al. 2022 have them."""

from __future__ import annotations

import numpy as np
import pytest

FOV, N = 0.22, 128
GRID = 1e-3 / FOV
"""How far a sample may be from its grid point [cycles/m]: six digits of amplitudes, over N cycles of moment."""
CLOCK = 1e-10
"""Rounding of sums of times [s]."""

CENTRES = ((18, 48), (-6, 16), (6, -16), (-18, -48))
"""Echo centres in samples (readout, phase) from the middle of k-space, in the order of the excitations."""

VARIANTS = {
    "defaults": ("moled()", 1.0),
    "sinc pulses": ("moled(rf=sinc)", 1.0),
    "odd multiple of the raster": ("moled(rf=sinc, esp_ms=0.45)", 1.0),
    "shortest published spacing": ("moled(esp_ms=0.375)", 1.0),
    "larger shifts": ("moled(shift_scale=1.05)", 1.05),
    "crushers through the slice": ("moled(crusher_axes=z, crusher_cycles=4)", 1.0),
}
variants = pytest.mark.parametrize(("expression", "scale"), VARIANTS.values(), ids=VARIANTS)


@variants
def test_each_excitation_has_its_echo_centre_where_the_shift_gradients_put_it(
    expression: str, scale: float, walk
) -> None:
    walked = walk(expression)
    forward = np.where(walked.line % 2, N - 1 - walked.index, walked.index)
    nominal = np.stack([forward - N // 2, walked.line - N // 2, 0 * forward], axis=1)
    for excited, (x, y) in zip(walked.pulses("excitation"), CENTRES, strict=True):
        k = walked.pathway(excited, walked.pulses("refocusing"), walked.time)
        np.testing.assert_allclose(k, (nominal - [scale * x, scale * y, 0]) / FOV, atol=GRID)


@variants
def test_each_echo_is_a_spin_echo_in_the_line_of_its_centre(expression: str, scale: float, walk) -> None:
    walked = walk(expression)
    stated = walked.timeline.definitions
    (refocused,) = walked.pulses("refocusing")
    crossing = np.where(walked.line % 2, N // 2 - 1, N // 2) == walked.index
    lines = walked.time[crossing]
    for excited, (_, y), echo_time in zip(walked.pulses("excitation"), CENTRES, stated["TE"], strict=True):
        assert lines[N // 2 + y] - refocused == pytest.approx(refocused - excited, abs=CLOCK)
        assert lines[N // 2 + y] - excited == pytest.approx(echo_time, abs=CLOCK)


def test_the_echo_times_are_the_published_ones(walk) -> None:
    """TE_n = 2 (t0 + l_n ESP), published as 22, 52, 82 and 110 ms: 1.2 ms is what the fit with t0 = 3.6 ms leaves."""
    stated = walk("moled()").timeline.definitions
    expected = [2 * (3.6e-3 + line * stated["ESP"]) for line in (112, 80, 48, 16)]
    assert stated["TE"] == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(stated["TE"], [0.110, 0.082, 0.052, 0.022], atol=1.3e-3)


def test_crushers_keep_the_fid_of_the_refocusing_pulse_out_of_the_train(walk) -> None:
    """By the half of k-space and 48 samples, the distance of the farthest echo: at least that much moment."""
    walked = walk("moled()")
    (refocused,) = walked.pulses("refocusing")
    k = walked.pathway(refocused, [], walked.time)
    assert (k[:, :2].min(axis=0) * FOV >= N / 2 - 1e-3).all()
    first_line = walked.line == 0
    nominal = np.where(walked.line % 2, N - 1 - walked.index, walked.index) - N // 2
    crusher = k[first_line, 0] * FOV - nominal[first_line]
    assert crusher.min() > N / 2 + 48


def test_earlier_magnetisation_passes_later_slice_gradients_unchanged(walk) -> None:
    walked = walk("moled(rf=sinc)")
    excitations = walked.pulses("excitation")
    (refocused,) = walked.pulses("refocusing")
    moments = [walked.pathway(excited, [], np.array([refocused]))[0, 2] for excited in excitations]
    np.testing.assert_allclose(moments, moments[-1], atol=GRID)
