"""RF events become cells of constant value: which rule applies is a matter of the points in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from spinloom.errors import SequenceError
from spinloom.sequence.lowering.rf import _from_points
from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import RfWaveform, Timeline

Read = Callable[..., Timeline]

HEAD = "[VERSION]\nmajor 1\nminor 4\nrevision 0\n\n[BLOCKS]\n"


def shape(key: int, samples: Sequence[float]) -> str:
    return "\n".join([f"shape_id {key}", f"num_samples {len(samples)}", *(f"{value:.9g}" for value in samples), "\n"])


@pytest.fixture
def pulse(seq_file: Callable[[str], Path]) -> Callable[..., RfWaveform]:
    """The envelope of a pulse with these magnitudes, phases [turns] and times [rasters]."""

    def read(
        sizes: Sequence[float], turns: Sequence[float] | None = None, times: Sequence[float] | None = None
    ) -> RfWaveform:
        text = HEAD + "1 10000 1 0 0 0 0 0\n\n[RF]\n"
        text += f"1 100 1 {2 if turns is not None else 0} {3 if times is not None else 0} 0 0 0\n\n[SHAPES]\n\n"
        text += shape(1, sizes) + (shape(2, turns) if turns is not None else "")
        text += shape(3, times) if times is not None else ""
        return read_sequence(seq_file(text)).waveforms[0]

    return read


def test_samples_without_times_hold_for_a_raster_and_equal_neighbours_join(pulse: Callable[..., RfWaveform]) -> None:
    waveform = pulse([0.5, 0.5, 0.5, 1.0, 0.0, 0.0], [0, 0, 0.25, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(waveform.durations, np.array([2, 1, 1, 2]) * 1e-6)
    np.testing.assert_allclose(waveform.values, [0.5, 0.5j, 1j, 0], atol=1e-15)
    assert waveform.exact


def test_points_at_the_centres_of_equal_cells_are_held(pulse: Callable[..., RfWaveform]) -> None:
    """A pulse with a dwell of 250 us; straight lines would smear it and lose its first and last half cell."""
    waveform = pulse([0.2, 1.0, 0.4], times=[125, 375, 625])
    np.testing.assert_allclose(waveform.durations, [250e-6] * 3)
    np.testing.assert_allclose(waveform.values, [0.2, 1.0, 0.4])
    assert waveform.exact


@pytest.mark.parametrize("dwell", [0.1, 1 / 3, 2.5, 3.3, 7.0])
def test_cells_are_known_as_equal_through_the_rounding_of_the_file(
    dwell: float, pulse: Callable[..., RfWaveform]
) -> None:
    count = 101
    waveform = pulse(np.linspace(0, 1, count), times=(np.arange(count) + 0.5) * dwell)
    assert waveform.exact
    np.testing.assert_allclose(waveform.durations, dwell * 1e-6, rtol=1e-5)


def test_one_point_is_one_cell(pulse: Callable[..., RfWaveform]) -> None:
    waveform = pulse([1.0], times=[50])
    assert (waveform.duration, waveform.values.tolist()) == (pytest.approx(100e-6), [1.0])


def test_a_flat_line_is_one_exact_segment(pulse: Callable[..., RfWaveform]) -> None:
    waveform = pulse([1.0, 1.0], times=[0, 15_000])
    assert (waveform.durations.tolist(), waveform.values.tolist(), waveform.exact) == (
        [pytest.approx(15e-3)],
        [1.0],
        True,
    )


def test_a_slope_is_cut_into_raster_cells_at_their_middles(pulse: Callable[..., RfWaveform]) -> None:
    waveform = pulse([0.0, 1.0, 1.0], times=[0, 4, 10])
    np.testing.assert_allclose(waveform.values, [0.125, 0.375, 0.625, 0.875, 1.0])
    np.testing.assert_allclose(waveform.durations, np.array([1, 1, 1, 1, 6]) * 1e-6)
    assert not waveform.exact


def test_a_line_through_zero_changes_sign_instead_of_turning(pulse: Callable[..., RfWaveform]) -> None:
    """A change of sign is a phase of half a turn; interpolating phases would play a quarter turn half-way."""
    waveform = pulse([1.0, 1.0], [0.0, 0.5], times=[0, 4])
    np.testing.assert_allclose(waveform.values, [0.75, 0.25, -0.25, -0.75], atol=1e-12)


def test_there_is_no_rf_before_the_first_point_nor_after_the_last(pulse: Callable[..., RfWaveform]) -> None:
    waveform = pulse([1.0, 1.0], times=[3.5, 20.25])
    np.testing.assert_allclose(waveform.durations, np.array([3.5, 16.75, 0.75]) * 1e-6)
    np.testing.assert_allclose(waveform.values, [0, 1, 0])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    steps=st.lists(st.floats(0.2, 30), min_size=1, max_size=6),
    start=st.floats(0, 5),
    values=st.lists(st.complex_numbers(max_magnitude=1), min_size=7, max_size=7),
)
def test_cutting_lines_keeps_their_area(steps: list[float], start: float, values: list[complex]) -> None:
    times = np.cumsum([start, *steps])
    points = np.array(values[: times.size])
    waveform = _from_points(times, points, 1e-6)
    assert waveform.area == pytest.approx(np.trapezoid(points, times) * 1e-6, rel=1e-9, abs=1e-18)
    assert np.all(waveform.durations > 0)
    assert waveform.duration == pytest.approx(np.ceil(times[-1] - 1e-6) * 1e-6, rel=1e-6)


def test_power_and_area_are_the_integrals_of_the_envelope(pulse: Callable[..., RfWaveform]) -> None:
    waveform = pulse([0.5, 1.0, 0.25], [0.0, 0.25, 0.5])
    ends = np.cumsum(waveform.durations)
    envelope = lambda time: waveform.values[np.searchsorted(ends, time)]  # noqa: E731
    power = quad(lambda time: abs(envelope(time)) ** 2, 0, 3e-6, points=[1e-6, 2e-6])[0]
    assert (waveform.power, waveform.peak) == (pytest.approx(power), 1.0)
    assert waveform.area == pytest.approx((0.5 + 1j - 0.25) * 1e-6)


@pytest.mark.parametrize(
    ("sizes", "turns", "times", "complaint"),
    [
        pytest.param([1, 1], [0], None, "2 samples of magnitude and 1 of phase", id="fewer phases"),
        pytest.param([1, 1], None, [0, 1, 2], "2 samples at 3 times", id="more times"),
        pytest.param([1, 1, 1], None, [0, 2, 2], "does not rise from 0", id="two samples at one time"),
        pytest.param([1, 1], None, [-1, 2], "does not rise from 0", id="a sample before the begin"),
        pytest.param([1], None, [0], "does not rise from 0", id="no length"),
    ],
)
def test_shapes_that_do_not_fit_each_other_are_refused(
    sizes: list[float], turns: list[float] | None, times: list[float] | None, complaint: str,
    pulse: Callable[..., RfWaveform],
) -> None:  # fmt: skip
    with pytest.raises(SequenceError, match=f"RF event 1 .*{complaint}"):
        pulse(sizes, turns, times)


def test_lines_over_too_many_rasters_are_refused_instead_of_filling_the_memory(
    pulse: Callable[..., RfWaveform],
) -> None:
    with pytest.raises(SequenceError, match=r"expands to 9,999,999,999 samples"):
        pulse([0.0, 1.0], times=[0, 1e10])
