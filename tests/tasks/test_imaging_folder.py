"""What becomes of k-space that makes up no image, and of raw data that cannot be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import spinloom
from spinloom.errors import ConfigurationError
from spinloom.interfaces import KSpace
from spinloom.reconstruction.image import Image
from spinloom.sequence.timeline import Timeline
from spinloom.tasks.imaging_files import check_raw_data, write_image_files, write_raw
from spinloom.tasks.imaging_folder import image_of
from spinloom.tasks.simulate import build_simulator


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    """A small EPI."""
    return spinloom.read_sequence("epi(matrix=16, esp_ms=0.4, te_ms=10)")


@pytest.fixture(scope="module")
def kspace(timeline: Timeline) -> KSpace:
    """Its samples."""
    return spinloom.simulate(sequence=timeline, phantom=spinloom.build_phantom({"name": "tubes", "matrix": 16}))


def test_k_space_that_makes_up_an_image_is_one(timeline: Timeline, kspace: KSpace) -> None:
    image, notes = image_of(build_simulator({"name": "epi"}), timeline, kspace)
    assert image is not None
    assert image.data.shape == (1, 1, 1, 16, 16)
    assert notes == ()


def test_k_space_whose_labels_contradict_it_makes_up_none(timeline: Timeline, kspace: KSpace) -> None:
    turned = replace(kspace, labels={**kspace.labels, "LIN": np.roll(kspace.labels["LIN"], 5)})
    image, (note,) = image_of(build_simulator({"name": "bloch"}), timeline, turned)
    assert image is None
    assert note.startswith("There is no image: Label LIN contradicts the gradient moments")


def test_an_image_that_memory_does_not_hold_leaves_the_samples(timeline: Timeline, kspace: KSpace) -> None:
    class Greedy:
        """A simulator whose images are too large."""

        requirements = spinloom.Requirements()

        def __init__(self, numerics: spinloom.Numerics) -> None: ...

        def simulate(self, timeline: Timeline, subject: object) -> KSpace:
            return kspace

        def reconstruct(self, timeline: Timeline, kspace: KSpace) -> Image:
            raise MemoryError("Unable to allocate 49.3 GiB")

    image, (note,) = image_of(Greedy(spinloom.Numerics()), timeline, kspace)
    assert image is None
    assert note == "There is no image, because memory does not hold it: Unable to allocate 49.3 GiB."


def test_no_image_leaves_no_files(tmp_path: Path) -> None:
    assert write_image_files(tmp_path, None) == ()
    assert list(tmp_path.iterdir()) == []


def test_raw_data_that_the_format_cannot_hold_is_left_out_with_the_reason(
    tmp_path: Path, timeline: Timeline, kspace: KSpace
) -> None:
    counted = replace(kspace, labels={**kspace.labels, "SEG": np.full(kspace.measurements, 70_000)})
    (note,) = write_raw(tmp_path, timeline, counted)
    assert note.startswith("K-space is not written as raw data: ISMRMRD holds segment from 0 to 65535")
    assert list(tmp_path.iterdir()) == []
    assert write_raw(tmp_path, timeline, kspace) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["raw_data.h5"]


@pytest.mark.parametrize(
    ("wanted", "has_phantom", "sentence"),
    [("yes", True, "rawdata is 'yes'; it is true or false"), (True, False, "k-space of a phantom, which a tissue has")],
)
def test_raw_data_is_asked_for_by_true_and_of_phantoms(wanted: object, has_phantom: bool, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        check_raw_data(wanted, has_phantom)
    check_raw_data(False, has_phantom)
