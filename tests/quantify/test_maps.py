"""NIfTI in and out: the grid stays, the mask holds, and what is no image is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from spinloom.errors import OutputError
from spinloom.nifti import ImageError
from spinloom.quantify.maps import read_map, read_series, write_map

AFFINE = np.array([[2.0, 0.1, 0, -10], [-0.1, 2, 0, 5], [0, 0, 4, 7], [0, 0, 0, 1]])
SERIES = np.arange(3 * 4 * 2 * 5, dtype=np.float32).reshape(3, 4, 2, 5)
MASK = np.zeros((3, 4, 2), dtype=np.uint8)
MASK[1, 2, :] = MASK[0, 0, 1] = 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds series.nii.gz and mask.nii."""
    save(SERIES, tmp_path / "series.nii.gz")
    save(MASK, tmp_path / "mask.nii")
    return tmp_path


def save(values: np.ndarray, path: Path, affine: np.ndarray = AFFINE) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


def test_voxels_inside_the_mask_come_in_the_order_of_the_grid(folder: Path) -> None:
    grid, voxels = read_series(folder / "series.nii.gz", folder / "mask.nii")
    np.testing.assert_array_equal(voxels, SERIES[MASK.astype(bool)])
    assert voxels.dtype == torch.float64
    assert grid.inside.sum() == 3


def test_without_a_mask_every_voxel_is_inside(folder: Path) -> None:
    _, voxels = read_series(folder / "series.nii.gz")
    assert voxels.shape == (24, 5)


@pytest.mark.parametrize("name", ["t.nii", "t.nii.gz"])
def test_a_map_lies_where_the_series_does_and_is_nan_outside(folder: Path, name: str) -> None:
    grid, voxels = read_series(folder / "series.nii.gz", folder / "mask.nii")
    write_map(folder / name, grid, voxels[:, 3])
    image = nibabel.load(folder / name)
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-6)
    inside = MASK.astype(bool)
    np.testing.assert_array_equal(image.get_fdata()[inside], SERIES[inside][:, 3])
    assert np.isnan(image.get_fdata()[~inside]).all()
    np.testing.assert_array_equal(grid.voxels(read_map(folder / name, grid)), voxels[:, 3])


def test_spectra_are_written_as_a_series(folder: Path) -> None:
    grid, voxels = read_series(folder / "series.nii.gz")
    write_map(folder / "again.nii.gz", grid, voxels)
    np.testing.assert_array_equal(nibabel.load(folder / "again.nii.gz").get_fdata(), SERIES)


def test_the_same_map_gives_the_same_bytes(folder: Path) -> None:
    grid, voxels = read_series(folder / "series.nii.gz")
    for name in ("one.nii.gz", "two.nii.gz"):
        write_map(folder / name, grid, voxels)
    assert (folder / "one.nii.gz").read_bytes() == (folder / "two.nii.gz").read_bytes()


def test_a_map_that_cannot_be_written_leaves_nothing(folder: Path) -> None:
    grid, voxels = read_series(folder / "series.nii.gz")
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match=r"t1\.nii cannot be written"):
        write_map(folder / "nowhere" / "t1.nii", grid, voxels)
    assert sorted(folder.iterdir()) == before


def bad(folder: Path, kind: str) -> Path:
    path = folder / "bad.nii.gz"
    match kind:
        case "text":
            path.write_text("offset 1 2 3\n" * 50)
        case "truncated":
            path.write_bytes((folder / "series.nii.gz").read_bytes()[:120])
        case "three axes":
            save(SERIES[..., 0], path)
        case "complex":
            save(SERIES.astype(np.complex64), path)
        case "another format":
            path = folder / "bad.mgz"
            nibabel.save(nibabel.MGHImage(SERIES, AFFINE), path)
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", r"no image .*bad\.nii\.gz; name a \.nii or \.nii\.gz file"),
        ("text", "cannot be read as a NIfTI image .*write it anew"),
        ("truncated", "cannot be read as a NIfTI image .*write it anew"),
        ("three axes", r"shape \(3, 4, 2\); a series has four axes"),
        ("complex", "values of type complex64; .*take magnitudes"),
        ("another format", r"bad\.mgz is no NIfTI image but MGHImage; convert it"),
    ],
)
def test_what_is_no_series_is_refused(folder: Path, kind: str, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_series(bad(folder, kind))


@pytest.mark.parametrize(
    ("mask", "affine", "reason"),
    [
        (np.ones((3, 4, 3), np.uint8), AFFINE, r"shape \(3, 4, 3\), the series \(3, 4, 2\); resample it"),
        (MASK, np.eye(4), "lies elsewhere than the series .*resample it"),
        (0 * MASK, AFFINE, "is 0 everywhere; give one that holds the voxels"),
    ],
    ids=["another shape", "another place", "empty"],
)
def test_a_mask_that_does_not_fit_is_refused(folder: Path, mask: np.ndarray, affine: np.ndarray, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_series(folder / "series.nii.gz", save(mask, folder / "other.nii", affine))
