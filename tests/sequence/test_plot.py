"""Pictures of sequences: what the lines hold, which rows there are, and files written whole or not at all."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.image import imread

from spinloom.errors import OutputError, SequenceError
from spinloom.sequence.facts import sequence_facts
from spinloom.sequence.lines import View, thin
from spinloom.sequence.plot import FORMATS, plot_sequence, save_figure
from spinloom.sequence.read import read_sequence
from spinloom.sequence.rotated import played_points
from spinloom.sequence.saturation import measurement_span
from spinloom.sequence.timeline import GradientEvent, Rotation, Timeline
from spinloom.sequence.traces import gradient, rf_frequency, rf_magnitude, rf_phase, sampling
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, timeline_of

STARTS = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


@pytest.fixture(scope="module")
def train() -> Timeline:
    return read_sequence("aptw_3t_36pulses")


def rows(figure: Figure) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Times and values of the line in each row, by the first line of its label."""
    lines = {ax.get_ylabel().splitlines()[0]: ax.get_lines()[0] for ax in figure.axes}
    return {label: (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for label, line in lines.items()}


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=400), st.integers(1, 40))
def test_thinning_keeps_the_extremes_of_every_pixel(values: list[float], pixels: int) -> None:
    times, all_values = np.linspace(0.0, 1.0, len(values)), np.array(values)
    pixel = 1.0 / pixels
    kept_times, kept = thin(times, all_values, pixel)
    column, kept_column = np.floor(times / pixel), np.floor(kept_times / pixel)
    for index in np.unique(column):
        whole, left = all_values[column == index], kept[kept_column == index]
        assert (left.min(), left.max(), left[0], left[-1]) == (whole.min(), whole.max(), whole[0], whole[-1])
    assert kept.size <= max(4 * np.unique(column).size, 4)
    assert np.isin(kept_times, times).all()


def test_a_picture_of_everything_shows_the_amplitudes_of_the_file(train: Timeline) -> None:
    shown = rows(plot_sequence(train))
    assert shown["B1"][1].max() == pytest.approx(3.3275, abs=1e-4)
    assert np.nanmin(shown["RF offset"][1]) == pytest.approx(-300, rel=1e-5)
    assert np.nanmax(shown["RF offset"][1]) == pytest.approx(4, rel=1e-5)
    assert [shown[axis][1].max() for axis in ("Gx", "Gy", "Gz")] == pytest.approx([32.0] * 3, rel=1e-4)
    assert shown["ADC"][1].max() == 1.0


def test_a_measurement_shows_its_events_alone(train: Timeline) -> None:
    figure = plot_sequence(train, *measurement_span(train, 2))
    times, offsets = rows(figure)["RF offset"]
    assert np.unique(np.round(offsets[np.isfinite(offsets)], 3)).tolist() == [-4.0]
    assert np.sum(np.isnan(offsets)) == 36
    assert times.min() >= measurement_span(train, 2)[0]
    assert "36 RF pulses, 1 ADC event" in {text.get_text().split("   ·   ")[-1] for text in figure.texts}


def test_one_pulse_shows_all_of_its_samples(train: Timeline) -> None:
    times, values = rf_magnitude(train, View(3.5, 3.55))
    assert np.unique(values).size >= 250  # a symmetric shape of 500 cells
    assert np.trapezoid(values, times) == pytest.approx(train.rf[0].amplitude * abs(train.waveforms[0].area), rel=1e-6)


def test_the_whole_train_is_drawn_with_few_points(train: Timeline) -> None:
    view = View(0.0, train.duration)
    assert rf_magnitude(train, view)[0].size < 5 * view.pixels  # 1,224,000 edges are played


def test_rf_phase_shows_sign_changes_and_the_offset_of_the_pulse() -> None:
    timeline = timeline_of([block_pulse(1e-3, 100.0, phase=0.5), 1e-3, block_pulse(1e-3, -100.0, phase=0.5)])
    times, phase = rf_phase(timeline, View(0.0, timeline.duration), 1e8)
    assert phase[times < 1e-3][0] == pytest.approx(0.5)
    assert phase[times >= 2e-3][0] == pytest.approx(0.5 - np.pi)


def test_rf_without_amplitude_has_no_frequency() -> None:
    timeline = timeline_of([block_pulse(1e-3, 0.0, 300.0), block_pulse(1e-3, 10.0, 200.0)])
    values = rf_frequency(timeline, View(0.0, timeline.duration), 1e8)[1]
    assert np.unique(values[np.isfinite(values)]).tolist() == [200.0]


def test_gradients_and_sampling_rest_at_zero_to_both_ends_of_the_view() -> None:
    timeline = timeline_of([1.0, SPOILER, MARKER, 1.0])
    view = View(0.5, 1.5)
    for times, values in (gradient(timeline, view, 2), sampling(timeline, view)):
        assert (times[0], times[-1], values[0], values[-1]) == (0.5, 1.5, 0.0, 0.0)
        assert values.max() > 0
    assert np.trapezoid(*gradient(timeline, view, 2)[::-1]) == pytest.approx(SPOILER.moment)


def test_a_view_that_cuts_a_pulse_does_not_end_it() -> None:
    timeline = timeline_of([block_pulse(1.0, 50.0), MARKER])
    times, values = rf_magnitude(timeline, View(0.2, 0.4))
    inside = np.interp([0.2, 0.3, 0.4], times, values)
    assert inside.tolist() == [50.0] * 3


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([block_pulse(1e-3, 100.0), MARKER], ["B1", "RF offset", "RF phase", "ADC"]),
        ([SPOILER, MARKER], ["Gz", "ADC"]),
        ([block_pulse(1e-3, 100.0), SPOILER], ["B1", "RF offset", "RF phase", "Gz"]),
    ],
    ids=["no gradients", "no RF", "no ADC"],
)
def test_rows_of_what_a_file_never_plays_are_left_out(parts: list, expected: list[str]) -> None:
    assert list(rows(plot_sequence(timeline_of(parts)))) == expected


@pytest.mark.parametrize(
    ("stop", "label"),
    [(None, "time (s)"), (3.6, "time after 3.5 s (ms)"), (3.5005, "time after 3.5 s (µs)")],
    ids=["minutes", "a tenth of a second", "half a millisecond"],
)
def test_the_time_axis_takes_the_unit_of_the_range(train: Timeline, stop: float | None, label: str) -> None:
    assert plot_sequence(train, 3.5, stop).axes[-1].get_xlabel() == label


@pytest.mark.parametrize("name", ["aptw_3t_block", "mrf_larginine_9p4t", "mrf_mt_7t", "wasabi_3t"])
def test_every_other_shipped_sequence_is_drawn(name: str, tmp_path: Path) -> None:
    save_figure(plot_sequence(read_sequence(name)), tmp_path / "picture.png")
    picture = imread(tmp_path / "picture.png")[..., :3]
    assert 0.5 < (picture == 1.0).all(axis=-1).mean() < 0.99


@pytest.mark.parametrize("span", [(5.0, 5.0), (6.0, 5.0), (200.0, 300.0), (-2.0, -1.0), (np.nan, 1.0)])
def test_a_range_that_holds_nothing_is_refused_with_the_duration(train: Timeline, span: tuple[float, float]) -> None:
    with pytest.raises(SequenceError, match=r"lasts from 0 to 186\.373 s"):
        plot_sequence(train, *span)


def test_a_sequence_that_only_waits_is_refused() -> None:
    with pytest.raises(SequenceError, match="neither RF, gradients nor ADC"):
        plot_sequence(timeline_of([1.0]))


@pytest.mark.parametrize("suffix", [f".{name}" for name in FORMATS])
def test_the_suffix_chooses_the_format(train: Timeline, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture{suffix}"
    save_figure(plot_sequence(train, 0.0, 6.0), path)
    assert path.read_bytes().startswith(STARTS[suffix])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["aptw.seq", "picture", "picture.gif"])
def test_another_suffix_is_refused_and_the_file_left_alone(train: Timeline, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"suffix must be one of \.pdf, \.png, \.svg"):
        save_figure(plot_sequence(train, 0.0, 6.0), path)
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there_is_named(train: Timeline, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"picture\.png cannot be written to .*missing: No such file or directory"):
        save_figure(plot_sequence(train, 0.0, 6.0), tmp_path / "missing" / "picture.png")


def test_a_folder_is_no_picture(train: Timeline, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        save_figure(plot_sequence(train, 0.0, 6.0), tmp_path / "folder.png")


def test_a_picture_that_fails_half_way_leaves_the_old_one(train: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    save_figure(plot_sequence(train, 0.0, 6.0), path)
    before = path.read_bytes()
    too_large = plot_sequence(train, 0.0, 6.0)
    too_large.set_size_inches(1e6, 10)
    with pytest.raises(ValueError, match="too large"):
        save_figure(too_large, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


def test_rotated_gradients_are_drawn_as_they_are_played() -> None:
    """A sixth of a turn about x gives y the sine and z the cosine of what the file has on z; its area is its moment."""
    plain = timeline_of([SPOILER, 1e-3, SPOILER])
    turn = Rotation((math.cos(math.pi / 6), math.sin(math.pi / 6), 0.0, 0.0))
    turned = replace(plain, extensions=((turn,),), block_extension=np.array([0, -1, -1]))
    view = View(0.0, plain.duration)
    lines = [gradient(turned, view, axis) for axis in range(3)]
    areas = [float(np.trapezoid(values, times)) for times, values in lines]
    area = SPOILER.moment
    expected = [0.0, -area * math.sin(math.pi / 3), area * (1 + math.cos(math.pi / 3))]
    assert areas == pytest.approx(expected, rel=1e-9, abs=1e-9 * area)
    assert {"Gx", "Gy", "Gz"} <= set(rows(plot_sequence(turned)))
    assert sequence_facts(turned).gradients.rotated == 1


def test_jumps_of_rotated_gradients_stay_jumps() -> None:
    step = GradientEvent("trapezoid", 100.0, 1e-3, (0.0, 0.0, 2e-3, 2e-3), None, None, False, 0.0, 0.0, 1e-5)
    ramp = GradientEvent("trapezoid", 50.0, 0.0, (0.0, 2e-3, 2e-3, 4e-3), None, None, False, 0.0, 0.0, 1e-5)
    quarter = Rotation((math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)))
    times, values = played_points({"x": step, "y": ramp}, quarter, 1)
    assert (values.min(), values.max()) == pytest.approx((0, 100))
    assert np.trapezoid(values, times) == pytest.approx(step.moment)
    times, values = played_points({"x": step, "y": ramp}, quarter, 0)
    assert np.trapezoid(values, times) == pytest.approx(-ramp.moment)
