"""Which lines make up one image: labels tell slices and repetitions apart, moments tell whether labels are true."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spinloom.errors import RequirementError, SequenceError
from spinloom.interfaces import KSpace
from spinloom.reconstruction.reconstruct import reconstruct
from spinloom.testing.fourier_sum import centred, grid_line, kspace_of, random_maps

ROWS, COLUMNS = 6, 8
MAPS = random_maps(1, 1, ROWS, COLUMNS)


def lines(rows: np.ndarray) -> list[np.ndarray]:
    return [grid_line(centred(COLUMNS), row) for row in rows]


def repeated(times: int, labels: dict[str, list[int]] | None = None) -> KSpace:
    """The same grid several times over; the n-th time the object is n + 1 times as bright."""
    kspace = kspace_of(MAPS, lines(np.tile(centred(ROWS), times)), labels)
    kspace.samples.mul_(torch.arange(1.0, times + 1.0).repeat_interleave(ROWS * COLUMNS))
    return kspace


def brightness(kspace: KSpace, **settings: str) -> list[float]:
    """How bright each frame is, all of it alike."""
    frames = reconstruct(kspace, **settings).data[:, 0].numpy() / MAPS  # type: ignore[arg-type]
    np.testing.assert_allclose(frames.std(axis=(1, 2, 3)), 0, atol=1e-10)
    return frames.mean(axis=(1, 2, 3)).real.round(10).tolist()


def test_unlabelled_repetitions_are_frames_in_playing_order() -> None:
    image = reconstruct(repeated(3))
    assert brightness(repeated(3)) == [1, 2, 3]
    assert {name: values.tolist() for name, values in image.frames.items()} == {"visit": [0, 1, 2]}


@pytest.mark.parametrize(
    ("repeats", "expected"), [("average", [2]), ("first", [1]), ("last", [3]), ("frames", [1, 2, 3])]
)
def test_repetitions_can_be_averaged_or_chosen(repeats: str, expected: list[float]) -> None:
    assert brightness(repeated(3), repeats=repeats) == expected


def test_averages_are_averaged_where_labels_say_so() -> None:
    assert brightness(repeated(2, {"AVG": [0] * ROWS + [1] * ROWS})) == [1.5]


def test_slices_and_repetitions_are_frames_with_their_labels() -> None:
    slices, repetitions = np.repeat([1, 0, 1, 0], ROWS), np.repeat([0, 0, 1, 1], ROWS)
    kspace = repeated(4, {"SLC": slices.tolist(), "REP": repetitions.tolist()})
    assert brightness(kspace) == [2, 4, 1, 3]
    frames = reconstruct(kspace).frames
    assert (frames["SLC"].tolist(), frames["REP"].tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1])


def test_the_echoes_of_a_train_are_one_image_and_those_of_one_line_are_several() -> None:
    """ECO counts both in files; only the second kind visits places again."""
    train = kspace_of(MAPS, lines(centred(ROWS)), {"ECO": [0, 1, 2] * 2})
    assert brightness(train) == [1]
    echoes = kspace_of(MAPS, lines(centred(ROWS).repeat(2)), {"ECO": [0, 1] * ROWS})
    assert reconstruct(echoes).frames["ECO"].tolist() == [0, 1]


def test_navigators_noise_and_calibration_are_left_out() -> None:
    rows = np.concatenate([[0, 0, 0, 1, -1], centred(ROWS)])
    flags = {
        "NAV": [1, 1, 0, 0, 0] + [0] * ROWS,
        "NOISE": [0, 0, 1, 0, 0] + [0] * ROWS,
        "REF": [0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0],
        "IMA": [0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0],
    }
    assert brightness(kspace_of(MAPS, lines(rows), flags)) == [1]
    with pytest.raises(RequirementError, match="No ADC event is left"):
        reconstruct(kspace_of(MAPS, lines(centred(ROWS)), {"NAV": [1] * ROWS}))


def test_navigators_without_a_label_are_refused_with_the_ways_out() -> None:
    kspace = kspace_of(MAPS, lines(np.concatenate([[0, 0], centred(ROWS)])))
    with pytest.raises(SequenceError, match=r"visited 1 to 3 times, and no label says .* repeats='average'"):
        reconstruct(kspace)
    assert brightness(kspace, repeats="last") == [1]
    np.testing.assert_allclose(reconstruct(kspace, events=np.arange(2, 2 + ROWS)).data[0], MAPS, atol=1e-12)


@pytest.mark.parametrize(
    "counter",
    [[0, 1, 2, 3, 4, 5], [15, 14, 13, 12, 11, 10], [0, 2, 4, 6, 8, 10]],
    ids=["rising", "falling", "every second"],
)
def test_counters_may_count_from_anywhere_either_way(counter: list[int]) -> None:
    assert brightness(kspace_of(MAPS, lines(centred(ROWS)), {"LIN": counter})) == [1]


@pytest.mark.parametrize(
    ("counter", "complaint"),
    [
        ([0, 1, 3, 2, 4, 5], "LIN contradicts the gradient moments: it is 2 and 3 on lines at 0 and -4.1"),
        ([0, 1, 1, 2, 3, 4], "LIN contradicts the gradient moments: it is 1 and 1 on lines at -8.3.* and -4.1"),
    ],
    ids=["out of order", "twice the same"],
)
def test_counters_that_contradict_the_moments_are_refused(counter: list[int], complaint: str) -> None:
    kspace = kspace_of(MAPS, lines(centred(ROWS)), {"LIN": counter})
    with pytest.raises(SequenceError, match=complaint):
        reconstruct(kspace)
    np.testing.assert_allclose(reconstruct(kspace, use_labels=False).data[0], MAPS, atol=1e-12)


def test_a_counter_of_lines_that_all_lie_at_one_place_is_refused() -> None:
    kspace = kspace_of(MAPS, lines(np.zeros(3)), {"LIN": [0, 1, 2]})
    with pytest.raises(SequenceError, match="LIN counts from 0 to 2, but the lines lie at one k"):
        reconstruct(kspace)


def test_partitions_are_counted_on_the_third_axis() -> None:
    maps = random_maps(1, 3, ROWS, COLUMNS)
    three = [grid_line(centred(COLUMNS), row, plane) for plane in centred(3) for row in centred(ROWS)]
    partition, line = np.repeat([0, 1, 2], ROWS).tolist(), list(range(ROWS)) * 3
    image = reconstruct(kspace_of(maps, three, {"LIN": line, "PAR": partition}))
    np.testing.assert_allclose(image.data[0], maps, atol=1e-12)
    with pytest.raises(SequenceError, match="PAR contradicts"):
        reconstruct(kspace_of(maps, three, {"LIN": line, "PAR": np.repeat([0, 1, 1], ROWS).tolist()}))
