"""Phantoms on disk come back digit for digit, are written whole, and what is no phantom is refused in a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from spinloom.errors import OutputError, SpinloomError, TissueError
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms import phantom_files
from spinloom.tissue.phantoms.door import phantom
from spinloom.tissue.phantoms.nifti_maps import read_nifti_maps, write_nifti_maps
from spinloom.tissue.phantoms.phantom_files import read_phantom, write_phantom
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

MAPS = ("m0", "t1", "t2", "b0", "b1", "coils", "t2_prime")


def same(first: Phantom, second: Phantom, *but: str) -> bool:
    """Whether two phantoms agree in every digit, `but` some fields."""
    pairs = [(getattr(first, name), getattr(second, name)) for name in MAPS if name not in but]
    alike = all(
        (one is None and other is None) or (one.dtype == other.dtype and one.equal(other)) for one, other in pairs
    )
    return alike and all(getattr(first, name) == getattr(second, name) for name in ("fov", "centre") if name not in but)


@pytest.fixture
def rich() -> Phantom:
    """Every map there is, and tissues of every kind of pool."""
    plain = phantom("tubes", matrix=[6, 5, 4], fov_mm=[222, 200, 90], b0_hz=[-100, 100], b1=[0.7, 1.3], coils=3)
    return replace(plain, t2_prime=torch.full_like(plain.m0, torch.inf), centre=(1e-3, -2e-3, 1 / 3e3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_phantom_comes_back_digit_for_digit(rich: Phantom, dtype: torch.dtype, tmp_path: Path) -> None:
    before = rich.to(dtype, torch.device("cpu"))
    write_phantom(before, tmp_path / "p.zarr")
    after = read_phantom(tmp_path / "p.zarr")
    assert same(before, after)
    assert after.name == "tubes"
    assert os.listdir(tmp_path) == ["p.zarr"]


def tensors(tissue: Tissue) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []

    def keep(values: torch.Tensor) -> torch.Tensor:
        found.append(values)
        return values

    tissue.map(keep)
    return found


POOLS: dict[str, Any] = {
    "water_pool": {"f": 1.0, "t1": [1.0, 1.2], "t2": 0.1, "t2star": 0.05, "isochromats": 7},
    "mt_pool": {
        "myelin": {"f": 0.1, "t1": 1, "t2": 1e-5, "k": 30, "dw": 0, "lineshape": "SuperLorentzian"},
        "rest": {"f": 0.02, "t1": 1, "t2": 1e-4, "k": 3, "dw": -2, "components": 3},
    },
    "cest_pool": {"amide": {"f": 1e-3, "t1": 1, "t2": 0.1, "k": 50, "dw": 3.5}},
    "exchange": {"amide-myelin": {"k": [5, 7]}},
    "b0": 3,
    "reset_init_mag": False,
    "max_pulse_samples": 123,
}


def test_pools_come_back_with_every_parameter(tmp_path: Path) -> None:
    brain = phantom("brain_pools", matrix=16)
    assert brain.pools is not None
    tissue = tissue_from_mapping(POOLS, "of every kind")
    before = replace(
        brain, pools=replace(brain.pools, tissue=tissue, index=brain.pools.index.clamp(max=1), names=("a", "b"))
    )
    write_phantom(before, tmp_path / "p.zarr")
    after = read_phantom(tmp_path / "p.zarr")
    assert after.pools is not None
    assert before.pools is not None
    assert after.pools.index.equal(before.pools.index)
    assert after.pools.names == ("a", "b")
    found = after.pools.tissue
    assert len(tensors(found)) == len(tensors(tissue)) > 20
    for one, other in zip(tensors(found), tensors(tissue), strict=True):
        assert one.dtype == other.dtype
        assert one.equal(other)
    for name in ("name", "reset", "max_pulse_samples"):
        assert getattr(found, name) == getattr(tissue, name)
    assert [pool.lineshape for pool in found.semisolid] == [pool.lineshape for pool in tissue.semisolid]
    assert list(found.pools) == list(tissue.pools)
    assert found.isochromats is not None
    assert found.isochromats.count == 7


def test_a_phantom_that_stands_there_is_replaced_only_where_asked(rich: Phantom, tmp_path: Path) -> None:
    path = tmp_path / "p.zarr"
    write_phantom(rich, path)
    other = replace(rich, name="other", coils=None)
    with pytest.raises(OutputError, match=r"p\.zarr exists; name another folder or ask to overwrite"):
        write_phantom(other, path)
    write_phantom(other, path, overwrite=True)
    assert read_phantom(path).name == "other"
    assert read_phantom(path).coils is None


def test_what_is_no_phantom_is_never_replaced(rich: Phantom, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for path in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(OutputError, match="holds something that is no phantom; name another folder"):
            write_phantom(rich, path, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_phantom_that_cannot_be_finished_leaves_nothing(
    rich: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[torch.Tensor] = []

    def plain(values: torch.Tensor) -> np.ndarray:
        written.append(values)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        return values.numpy()

    monkeypatch.setattr(phantom_files, "_plain", plain)
    with pytest.raises(OutputError, match=r"p\.zarr: No space left on device"):
        write_phantom(rich, tmp_path / "p.zarr")
    assert os.listdir(tmp_path) == []


def spoil_format(path: Path) -> None:
    content = json.loads((path / "zarr.json").read_text())
    content["attributes"]["format"] = "spinloom-phantom-9"
    (path / "zarr.json").write_text(json.dumps(content))


def lose_a_map(path: Path) -> None:
    for file in sorted((path / "t1").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (path / "t1").rmdir()


def garble(path: Path) -> None:
    chunk = next(file for file in sorted((path / "t2").rglob("*")) if file.is_file() and file.name != "zarr.json")
    chunk.write_bytes(b"garbled")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_format, "of format 'spinloom-phantom-9'; this version reads phantoms of 'spinloom-phantom-1'"),
        (lose_a_map, r"is damaged .*'t1'.*write it anew"),
        (garble, "is damaged .*write it anew"),
        (lambda path: (path / "zarr.json").write_text("{"), "is damaged .*write it anew"),
        (lambda path: (path / "zarr.json").unlink(), "holds no phantom; name a folder"),
    ],
    ids=["another version", "a map is gone", "garbled", "half a file", "no group"],
)
def test_a_damaged_phantom_is_refused(
    rich: Phantom, tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "p.zarr"
    write_phantom(rich, path)
    spoil(path)
    with pytest.raises(TissueError, match=reason):
        read_phantom(path)


def test_nifti_maps_come_back_digit_for_digit(rich: Phantom, tmp_path: Path) -> None:
    before = replace(rich, coils=None)
    write_nifti_maps(before, tmp_path / "maps")
    assert sorted(os.listdir(tmp_path / "maps")) == [
        f"{name}.nii.gz" for name in ("b0", "b1", "m0", "t1", "t2", "t2_prime")
    ]
    after = read_nifti_maps(tmp_path / "maps")
    assert same(replace(after, t1=torch.where(after.m0 > 0, after.t1, before.t1)), before, "fov", "centre", "b0", "b1")
    inside = before.m0 > 0
    assert after.b0[inside].equal(before.b0[inside])
    assert after.fov == pytest.approx(before.fov, rel=1e-6)  # the affine is in single precision


def test_an_image_s_first_axis_is_x_and_its_voxels_are_as_large_as_the_affine_says(tmp_path: Path) -> None:
    affine = np.array([[0, -2.0, 0, 5], [3, 0, 0, 7], [0, 0, 4, -9], [0, 0, 0, 1]])
    volume = np.arange(1.0, 25).reshape(2, 3, 4)
    for name in ("m0", "t1", "t2"):
        nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / f"{name}.nii")
    made = read_nifti_maps(tmp_path, torch.float32)
    assert made.fov == pytest.approx((2 * 3e-3, 3 * 2e-3, 4 * 4e-3))
    assert made.m0[3, 2, 1] == volume[1, 2, 3]
    assert made.m0.dtype == torch.float32
    assert (float(made.b0.max()), float(made.b1.min())) == (0, 1)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """A folder of good maps."""
    write_nifti_maps(phantom("tubes", matrix=[8, 9]), tmp_path / "maps")
    return tmp_path / "maps"


def change(
    folder: Path, name: str, function: Callable[[np.ndarray], np.ndarray], affine: np.ndarray | None = None
) -> None:
    image = nibabel.load(folder / f"{name}.nii.gz")
    nibabel.save(
        nibabel.Nifti1Image(function(image.get_fdata()), image.affine if affine is None else affine),
        folder / f"{name}.nii.gz",
    )


def nan_in_the_middle(values: np.ndarray) -> np.ndarray:
    values[4, 4, 0] = np.nan
    return values


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda folder: (folder / "t2.nii.gz").unlink(),
            r"has no map t2 \(t2.nii or t2.nii.gz\), which a phantom needs",
        ),
        (lambda folder: change(folder, "t1", lambda it: 1000 * it), "t1 is in seconds, so divide milliseconds by 1000"),
        (
            lambda folder: change(folder, "b1", lambda it: 100 * it),
            "b1 is relative to nominal, so divide percent by 100",
        ),
        (
            lambda folder: change(folder, "t2", lambda it: it[:-1]),
            r"has the shape \(7, 9, 1\), m0 \(8, 9, 1\); resample",
        ),
        (lambda folder: change(folder, "b0", lambda it: it, np.eye(4)), "lies elsewhere than m0"),
        (
            lambda folder: change(folder, "t2", lambda it: np.stack([it, it], -1)),
            "t2.nii.gz has 4 axes; a map has three",
        ),
        (lambda folder: change(folder, "t1", nan_in_the_middle), "t1 .* holds 1 voxels that are not finite"),
        (lambda folder: change(folder, "m0", lambda it: -it), "m0 .* is negative in"),
        (lambda folder: change(folder, "t2", lambda it: 0 * it), "t2 .* is not positive in"),
        (lambda folder: (folder / "t1.nii.gz").rename(folder / "t1map.nii.gz"), "has no map t1"),
        (lambda folder: (folder / "b0.nii.gz").rename(folder / "b0_map.nii.gz"), "after no map .* Did you mean 'b0'"),
        (lambda folder: (folder / "t1.nii").write_bytes(b""), "has two images of t1, t1.nii and t1.nii.gz; keep one"),
        (lambda folder: (folder / "t2.nii.gz").write_bytes(b"text"), "cannot be read as a NIfTI image"),
    ],
)
def test_a_folder_of_maps_that_do_not_fit_is_refused(maps: Path, spoil: Callable[[Path], object], reason: str) -> None:
    spoil(maps)
    with pytest.raises(SpinloomError, match=reason):
        phantom(maps)


def test_nan_where_there_is_no_magnetisation_is_no_value(maps: Path) -> None:
    before = phantom(maps)
    for name in ("m0", "t1", "t2", "b0", "b1"):
        change(maps, name, lambda it: np.where(before.m0.numpy().T > 0, it, np.nan))
    assert same(phantom(maps), before)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: phantom("tubes", matrix=8, coils=2), "has coils or pools, which NIfTI maps do not hold"),
        (lambda: phantom("brain_pools", matrix=8), "write it to a name in .zarr"),
    ],
)
def test_what_nifti_does_not_hold_is_refused(made: Callable[[], Phantom], reason: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=reason):
        write_nifti_maps(made(), tmp_path / "maps")
    assert os.listdir(tmp_path) == []


def test_a_folder_with_anything_in_it_is_not_written_over(maps: Path) -> None:
    with pytest.raises(OutputError, match="maps exists; name another folder"):
        write_nifti_maps(phantom("tubes", matrix=8), maps)
