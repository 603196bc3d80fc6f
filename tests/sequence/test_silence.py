"""Zeros at the end of RF shapes played as free precession."""

from __future__ import annotations

import numpy as np
import pytest

from spinloom.physics.engine import solve_pools
from spinloom.sequence.silence import without_silence
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.testing.timelines import MARKER, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping

TISSUE = tissue_from_mapping(
    {
        "water_pool": {"t1": 1.1, "t2": 0.3},
        "cest_pool": {"amide": {"f": 0.01, "t1": 1.0, "t2": 0.1, "k": 50, "dw": 3.5}},
        "b0": 3,
    },
    "amide",
)


def timeline(*values: float) -> Timeline:
    """Two pulses whose segments of 2 ms have these values, and a sample while magnetisation is transverse."""
    waveform = RfWaveform(np.full(len(values), 2e-3), np.array(values, dtype=np.complex128), exact=True)
    return timeline_of([(waveform, rf_event(60.0, 130.0)), 3e-3, (waveform, rf_event(60.0, 130.0, 0.8)), 1e-3, MARKER])


def test_a_pulse_without_the_zeros_at_its_end_does_what_the_whole_one_does() -> None:
    """Its frequency turns the frame no longer, which the phases that follow must know."""
    whole = timeline(1.0, 0.5, 0.0, 0.0)
    shortened = without_silence(whole)
    assert shortened.waveforms[0].duration == pytest.approx(4e-3)
    np.testing.assert_array_equal(shortened.block_duration, whole.block_duration)
    one, other = (solve_pools(each, TISSUE, cells="all") for each in (whole, timeline(1.0, 0.5, 0.0, 1e-300)))
    assert "Played by the fast engine." in one.notes
    for name in ("mz", "mxy"):
        assert (
            float((getattr(one, name) - getattr(other, name)).abs().max()) <= 1e-12
        )  # rounding of series and exponentials


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        pytest.param((0, 1, 0, 0, 0), 3, id="as many zeros stay as stand before it"),
        pytest.param((0, 1, 0), 3, id="a symmetric pulse"),
        pytest.param((0, 0, 1, 0), 4, id="more zeros before it"),
        pytest.param((1, 0, 1, 0), 3, id="zeros amid it"),
        pytest.param((0, 0), 2, id="nothing but zeros"),
    ],
)
def test_no_more_is_cut_than_leaves_a_symmetric_pulse_symmetric(values: tuple[float, ...], kept: int) -> None:
    (waveform,) = without_silence(timeline(*values)).waveforms
    np.testing.assert_array_equal(waveform.values, np.array(values[:kept]))
    assert waveform.duration == pytest.approx(2e-3 * kept)


def test_part_of_a_long_zero_may_stay() -> None:
    whole = RfWaveform(np.array([1e-3, 2e-3, 5e-3]), np.array([0.0, 1.0, 0.0], dtype=np.complex128), exact=True)
    (waveform,) = without_silence(timeline_of([(whole, rf_event(60.0)), MARKER])).waveforms
    np.testing.assert_allclose(waveform.durations, [1e-3, 2e-3, 1e-3])


def test_a_timeline_without_such_zeros_is_left_as_it_is() -> None:
    whole = timeline(0.0, 1.0, 0.0)
    assert without_silence(whole) is whole
