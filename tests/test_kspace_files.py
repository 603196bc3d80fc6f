"""K-space comes back from disk as it went there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from spinloom.errors import OutputError
from spinloom.interfaces import KSpace
from spinloom.kspace_files import read_kspace, write_kspace


def kspace(labels: dict[str, np.ndarray]) -> KSpace:
    rng = np.random.default_rng(0)
    return KSpace(
        samples=torch.from_numpy((rng.normal(size=(2, 12)) + 1j * rng.normal(size=(2, 12))).astype(np.complex64)),
        time=np.linspace(0.01, 0.3, 12),
        measurement=np.repeat(np.arange(3), 4),
        trajectory=rng.normal(size=(12, 3)),
        labels=labels,
        fov=(0.22, 0.2, 0.005),
        notes=("Recovery is complete before each excitation.",),
    )


LABELS = {"LIN": np.array([0, 1, 2]), "SLC": np.array([0, 0, 1])}


@pytest.mark.parametrize("labels", [{}, LABELS], ids=["bare", "labels"])
def test_kspace_returns_from_disk_unchanged(labels: dict[str, np.ndarray], tmp_path: Path) -> None:
    written = kspace(labels)
    write_kspace(tmp_path / "kspace.zarr", written, {"sequence": {"sha256": "0" * 64}})
    found = read_kspace(tmp_path)
    assert found.samples.dtype == torch.complex64
    assert torch.equal(found.samples, written.samples)
    for name in ("time", "measurement", "trajectory"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    assert found.labels.keys() == written.labels.keys()
    assert all(np.array_equal(found.labels[name], values) for name, values in labels.items())
    assert (found.fov, found.notes) == (written.fov, written.notes)


def test_a_stranger_finds_axes_units_and_origin_in_the_file(tmp_path: Path) -> None:
    write_kspace(tmp_path / "kspace.zarr", kspace({}), {"phantom": "tubes"})
    group = zarr.open_group(str(tmp_path / "kspace.zarr"), mode="r")
    assert dict(group["trajectory"].attrs)["unit"] == "1/m"
    assert all({"axes", "unit", "meaning"} <= set(dict(array.attrs)) for _, array in group.arrays())
    assert group.attrs["phantom"] == "tubes"


def test_a_folder_without_kspace_and_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no k-space; name a run's output folder"):
        read_kspace(tmp_path)
    zarr.open_group(str(tmp_path / "kspace.zarr"), mode="w").attrs["format"] = "spinloom-kspace-9"
    with pytest.raises(OutputError, match="is of format 'spinloom-kspace-9'; this version reads"):
        read_kspace(tmp_path)
