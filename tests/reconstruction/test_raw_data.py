"""Raw data that another program reads: images from the file alone, by what ISMRMRD defines and numpy's FFT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ismrmrd
import numpy as np
import pytest

from spinloom.errors import ConfigurationError, OutputError, RequirementError
from spinloom.reconstruction.raw_data import write_raw_data
from spinloom.testing.fourier_sum import FOV, centred, grid_line, kspace_of, random_maps


def stored(path: Path) -> tuple[Any, list[Any]]:
    """Header and acquisitions as the format's own library reads them."""
    with ismrmrd.File(str(path), "r") as file:
        return file["dataset"].header, list(file["dataset"].acquisitions)


def strangers_image(path: Path) -> np.ndarray:
    """Repetitions, coils, z, y, x: counters and header say where lines go, an inverse FFT does the rest."""
    header, acquisitions = stored(path)
    encoding = header.encoding[0]
    size, limits = encoding.encodedSpace.matrixSize, encoding.encodingLimits
    grid = np.zeros((limits.repetition.maximum + 1, acquisitions[0].active_channels, size.z, size.y, size.x), complex)
    for line in acquisitions:
        if line.is_flag_set(ismrmrd.ACQ_IS_NAVIGATION_DATA):
            continue
        data = line.data[:, ::-1] if line.is_flag_set(ismrmrd.ACQ_IS_REVERSE) else line.data
        place = line.idx.kspace_encode_step_2, line.idx.kspace_encode_step_1
        grid[line.idx.repetition, :, place[0], place[1]] = data
    axes = (2, 3, 4)
    image = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(grid, axes), axes=axes), axes)
    return image * size.x * size.y * size.z


def test_a_stranger_finds_the_image_in_the_file(tmp_path: Path) -> None:
    """EPI, to and fro, two coils, three repetitions with a navigator each; conjugate, as ISMRMRD turns clockwise."""
    maps = random_maps(2, 1, 12, 16)
    shot = [grid_line(centred(16)[:: (-1) ** number], row) for number, row in enumerate(centred(12))]
    lines = [grid_line(centred(16)), *shot] * 3
    kspace = kspace_of(maps, lines, {"NAV": ([1] + [0] * 12) * 3, "LIN": ([0, *range(12)]) * 3})
    write_raw_data(tmp_path / "raw.h5", kspace, larmor=127.7e6)
    image = strangers_image(tmp_path / "raw.h5")
    assert image.shape == (3, 2, 1, 12, 16)
    np.testing.assert_allclose(image, np.tile(maps.conj(), (3, 1, 1, 1, 1)), atol=1e-5)
    header, _ = stored(tmp_path / "raw.h5")
    space = header.encoding[0].reconSpace
    assert (space.fieldOfView_mm.x, space.fieldOfView_mm.y) == pytest.approx((200, 240))
    assert header.experimentalConditions.H1resonanceFrequency_Hz == 127_700_000


def test_volumes_and_lines_along_another_axis_come_in_readout_and_steps(tmp_path: Path) -> None:
    maps = random_maps(1, 6, 8, 4)
    lines = [grid_line(centred(8), plane, column, (1, 2, 0)) for column in centred(4) for plane in centred(6)]
    write_raw_data(tmp_path / "raw.h5", kspace_of(maps, lines))
    image = strangers_image(tmp_path / "raw.h5")[0]  # step 2, step 1, readout: the readout is y, step 1 is x
    np.testing.assert_allclose(image.transpose(0, 1, 3, 2), maps.conj(), atol=1e-5)
    _, acquisitions = stored(tmp_path / "raw.h5")
    assert [list(acquisitions[0].read_dir), list(acquisitions[0].phase_dir)] == [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_allclose(acquisitions[0].traj[:, 0], centred(8) / 8, atol=1e-7)


def test_partial_fourier_keeps_the_centre_in_its_place(tmp_path: Path) -> None:
    maps = random_maps(1, 1, 16, 8)
    write_raw_data(tmp_path / "raw.h5", kspace_of(maps, [grid_line(centred(8), row) for row in range(-2, 8)]))
    header, acquisitions = stored(tmp_path / "raw.h5")
    limits = header.encoding[0].encodingLimits.kspace_encoding_step_1
    assert (limits.minimum, limits.maximum, limits.center) == (6, 15, 8)
    assert header.encoding[0].encodedSpace.matrixSize.y == 16
    at_centre = next(line for line in acquisitions if line.idx.kspace_encode_step_1 == 8)
    np.testing.assert_allclose(at_centre.traj[:, 1], 0, atol=1e-7)
    assert at_centre.center_sample == 4


def test_oversampled_readouts_are_encoded_over_a_larger_field_of_view(tmp_path: Path) -> None:
    kspace = kspace_of(random_maps(1, 1, 8, 8), [grid_line((np.arange(16) - 8) / 2, row) for row in centred(8)])
    write_raw_data(tmp_path / "raw.h5", kspace)
    encoding = stored(tmp_path / "raw.h5")[0].encoding[0]
    assert (encoding.encodedSpace.matrixSize.x, encoding.reconSpace.matrixSize.x) == (16, 8)
    assert encoding.encodedSpace.fieldOfView_mm.x == pytest.approx(2 * encoding.reconSpace.fieldOfView_mm.x)


def test_other_trajectories_are_stored_with_every_sample(tmp_path: Path) -> None:
    """In cycles a voxel; the sum over them by a stranger gives the object back where there are enough."""
    angles = np.arange(12) * np.pi / 12
    lines = [np.outer(centred(8), [np.cos(a) / FOV[0], np.sin(a) / FOV[1], 0]) for a in angles]
    kspace = kspace_of(random_maps(1, 1, 8, 8), lines, {"LIN": list(range(12)), "SLC": [3] * 12})
    write_raw_data(tmp_path / "raw.h5", kspace)
    header, acquisitions = stored(tmp_path / "raw.h5")
    assert header.encoding[0].trajectory is ismrmrd.xsd.trajectoryType.OTHER
    turns = np.concatenate([line.traj for line in acquisitions])
    np.testing.assert_allclose(turns[:, :2] * 8 / FOV[:2], kspace.trajectory[:, :2], atol=1e-5)
    assert [line.idx.kspace_encode_step_1 for line in acquisitions] == list(range(12))
    assert {line.idx.slice for line in acquisitions} == {3}
    assert not any(line.is_flag_set(ismrmrd.ACQ_IS_REVERSE) for line in acquisitions)
    np.testing.assert_allclose(acquisitions[5].data, kspace.samples.numpy()[:, 40:48].conj(), rtol=1e-6)


def test_what_the_format_cannot_hold_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    lines = [grid_line(centred(8), row) for row in centred(6)]
    with pytest.raises(OutputError, match="slice from 0 to 65535, but it goes from -1 to -1"):
        write_raw_data(tmp_path / "raw.h5", kspace_of(random_maps(1, 1, 6, 8), lines, {"SLC": [-1] * 6}))
    with pytest.raises(RequirementError, match="takes no ADC sample"):
        write_raw_data(tmp_path / "raw.h5", kspace_of(random_maps(1, 1, 6, 8), []))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ismrmrd", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'spinloom\[rawdata\]'"):
        write_raw_data(tmp_path / "raw.h5", kspace_of(random_maps(1, 1, 2, 2), [grid_line(centred(2))]))
