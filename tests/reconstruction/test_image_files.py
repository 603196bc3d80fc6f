"""NIfTI files of images hold them where they were, as nibabel reads them."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from spinloom.reconstruction.image import Image
from spinloom.reconstruction.image_files import write_complex, write_magnitude
from spinloom.testing.fourier_sum import random_maps


def image(frames: int, coils: int) -> Image:
    """Images of 5 x 4 x 3 voxels of 2, 3 and 4 mm."""
    data = torch.from_numpy(random_maps(frames, coils, 3, 4, 5))
    return Image(data, (0.010, 0.012, 0.012), {"REP": np.arange(frames)})


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_single_frame_is_a_volume_and_several_are_a_series(suffix: str, tmp_path: Path) -> None:
    for frames, shape in ((1, (5, 4, 3)), (2, (5, 4, 3, 2))):
        written = image(frames, 2)
        write_magnitude(tmp_path / f"image{suffix}", written)
        found = nibabel.load(tmp_path / f"image{suffix}")
        assert (found.shape, found.get_data_dtype()) == (shape, np.float32)
        expected = written.magnitude.numpy().transpose(3, 2, 1, 0).reshape(shape)
        np.testing.assert_allclose(np.asarray(found.dataobj), expected, rtol=1e-6)


def test_voxels_lie_where_the_gradients_put_them(tmp_path: Path) -> None:
    """Voxel n // 2 at the origin: (2, 2, 1) of 5 x 4 x 3."""
    write_magnitude(tmp_path / "image.nii", image(1, 1))
    affine = nibabel.load(tmp_path / "image.nii").affine
    np.testing.assert_allclose(affine @ [2, 2, 1, 1], [0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(affine @ [3, 3, 2, 1], [2, 3, 4, 1], rtol=1e-6)


@pytest.mark.parametrize(("coils", "shape"), [(1, (5, 4, 3, 2)), (3, (5, 4, 3, 2, 3))])
def test_complex_images_keep_their_coils(coils: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    written = image(2, coils)
    write_complex(tmp_path / "image.nii", written)
    found = np.asarray(nibabel.load(tmp_path / "image.nii").dataobj)
    assert (found.shape, found.dtype) == (shape, np.complex64)
    expected = written.data.numpy().transpose(4, 3, 2, 0, 1).reshape(shape)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
