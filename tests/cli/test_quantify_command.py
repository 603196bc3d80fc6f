"""`spinloom quantify` as a user runs it: on images and on runs, its maps, its figures and its refusals."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from spinloom import read_tissue, simulate
from spinloom.cli import root
from spinloom.quantify.lorentzian_fit import lorentzian_curve

AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])
SHAPE = (4, 3, 2)
OFFSETS = np.concatenate([[-300.0], np.arange(-30, -6, 4.0), np.arange(-6, 6.1, 0.25), np.arange(10, 31, 4.0)])
B0 = np.linspace(-0.3, 0.3, 24).reshape(SHAPE)
B1 = np.linspace(0.7, 1.2, 24).reshape(SHAPE)
NOISE = 0.003


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WASABI series, a CEST series with its offsets, and a mask that leaves out the first voxel."""
    folder, generator = tmp_path_factory.mktemp("images"), torch.Generator().manual_seed(6)
    water = read_tissue("water_3t").map(lambda value: value.expand(24).clone())
    tissue = replace(water, b0_shift_ppm=torch.from_numpy(B0.ravel()), rel_b1=torch.from_numpy(B1.ravel()))
    wasabi = simulate(sequence="wasabi_3t", tissue=tissue).mz
    lines = torch.tensor([1, 0.8, 1.4, 0, 0.05, 1, 3.5, 0.06, 3, -3.4, 0.12, 30, -2], dtype=torch.float64).repeat(24, 1)
    lines[:, 3] = torch.from_numpy(B0.ravel())
    cest = lorentzian_curve(lines, torch.from_numpy(OFFSETS), 0)
    for name, z in (("wasabi", wasabi), ("cest", cest)):
        noise = NOISE * torch.randn(z.shape, generator=generator, dtype=torch.float64)
        save(900 * (z + noise).abs().reshape(*SHAPE, -1).numpy(), folder / f"{name}.nii.gz")
    save(np.arange(24).reshape(SHAPE) > 0, folder / "mask.nii.gz")
    (folder / "offsets.txt").write_text("\n".join(map(str, OFFSETS)))
    return folder


def save(values: np.ndarray, path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), AFFINE), path)


@pytest.fixture
def here(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; the images lie at `images` beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").symlink_to(images)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["quantify", *arguments])


def read(path: Path) -> np.ndarray:
    return nibabel.load(path).get_fdata()


def test_wasabi_maps_b0_and_b1_and_correct_b0_takes_its_map(here: Path) -> None:
    """Standard errors at this noise are about 8e-4 ppm and 2e-3; four of them and the model error stay below."""
    done = run("wasabi", "images/wasabi.nii.gz", "-s", "wasabi_3t", "-m", "images/mask.nii.gz", "-o", "w")
    assert done.exit_code == 0, done.output
    assert "23 of 23 voxels of wasabi quantified. M0 is the mean of 1 measurements" in done.output
    b0, b1 = read(here / "w" / "b0_shift_ppm.nii.gz"), read(here / "w" / "rel_b1.nii.gz")
    assert np.isnan(b0[0, 0, 0])
    assert np.nanmax(np.abs(b0 - B0)) < 4e-3
    assert np.nanmax(np.abs(b1 - B1)) < 1e-2
    np.testing.assert_array_equal(nibabel.load(here / "w" / "rel_b1.nii.gz").affine, AFFINE)
    for name in ("maps.svg", "maps.png", "fit.svg"):
        assert (here / "w" / "figures" / name).stat().st_size > 1000

    cest = ("images/cest.nii.gz", "-s", "images/offsets.txt", "-m", "images/mask.nii.gz")
    done = run("correct-b0", *cest, "--b0", "w/b0_shift_ppm.nii.gz", "-o", "c")
    assert done.exit_code == 0, done.output
    wanted, z = np.loadtxt(here / "c" / "offsets_ppm.txt"), read(here / "c" / "z_corrected.nii.gz")
    dips = wanted[np.abs(wanted) < 2][np.argmin(z[1:, :, :, np.abs(wanted) < 2], axis=-1)]
    assert (np.abs(dips) <= 0.25).all()


def test_lorentzian_writes_a_map_a_parameter_with_its_error(here: Path) -> None:
    done = run("lorentzian", "images/cest.nii.gz", "-s", "images/offsets.txt", "-o", "l")
    assert done.exit_code == 0, done.output
    amplitude, error = (read(here / "l" / f"amide_amplitude{part}.nii.gz") for part in ("", "_error"))
    assert (np.abs(amplitude - 0.05) < 5 * error).all()
    assert "noe" in (here / "l" / "figures" / "fit.svg").read_text()
    record = json.loads((here / "l" / "run.json").read_text())
    assert record["task"] == "quantify"
    assert record["params"]["pools"] == ["water", "amide", "noe", "mt"]


def test_asymmetry_and_normalisation_write_spectra_with_their_offsets(here: Path) -> None:
    cest = ("images/cest.nii.gz", "-s", "images/offsets.txt")
    assert run("mtr-asymmetry", *cest, "--at", "3.5", "-o", "a").exit_code == 0
    offsets, spectra = np.loadtxt(here / "a" / "offsets_ppm.txt"), read(here / "a" / "mtr_asymmetry.nii.gz")
    at = read(here / "a" / "mtr_asymmetry_3.5ppm.nii.gz")
    np.testing.assert_array_equal(at, spectra[..., np.flatnonzero(offsets == 3.5)[0]])
    assert run("normalise", *cest, "-o", "z").exit_code == 0
    assert read(here / "z" / "z.nii.gz").shape == (*SHAPE, OFFSETS.size - 1)


def test_a_run_gives_a_table_with_a_row_a_tissue(here: Path) -> None:
    arguments = ["simulator=cest", "sequence=wasabi_3t", "tissue=water_3t", "tissue.b0_inhom=[-0.2,0.1]"]
    simulated = CliRunner().invoke(root, ["simulate", *arguments, "tracking=off", "output=sim"])
    assert simulated.exit_code == 0, simulated.output
    done = run("wasabi", "sim", "-o", "w")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((here / "w" / "maps.csv").open()))
    assert [float(row["b0_shift_ppm"]) for row in rows] == pytest.approx([-0.2, 0.1], abs=1e-3)
    fitted = run("bloch-mcconnell", "sim", "--tissue", "water_3t", "--fit", "b0_shift_ppm", "--b1", "1", "-o", "b")
    assert fitted.exit_code == 0, fitted.output
    rows = list(csv.DictReader((here / "b" / "maps.csv").open()))
    assert [float(row["b0_shift_ppm"]) for row in rows] == pytest.approx([-0.2, 0.1], abs=1e-5)


def test_a_voxel_with_nan_is_counted_and_nan_in_the_map(here: Path) -> None:
    series = read(here / "images" / "cest.nii.gz")
    series[1, 1, 1, 7] = np.nan
    save(series, here / "holed.nii.gz")
    done = run("lorentzian", "holed.nii.gz", "-s", "images/offsets.txt", "--pools", "water,mt", "-o", "l")
    assert "23 of 24 voxels of holed quantified" in done.output
    assert "Left out because their spectra are not finite: 1 voxels." in done.output
    assert np.argwhere(np.isnan(read(here / "l" / "mt_amplitude.nii.gz"))).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("lorentzian images/cest.nii.gz", "offsets of images/cest.nii.gz are missing; add --sequence"),
        ("lorentzian images/cest.nii.gz -s wasabi_3t", "has 62 measurements, but 82 offsets are given"),
        ("lorentzian images/cest.nii.gz -s images/offsets.txt --pools water,amid", "Did you mean 'amide'?"),
        ("lorentzian images/offsets.txt -s wasabi_3t", "cannot be read as a NIfTI image"),
        ("lorentzian images/mask.nii.gz -s wasabi_3t", "a series has four axes"),
        ("lorentzian nothing.nii -s wasabi_3t", "There is no image nothing.nii"),
        ("lorentzian images/cest.nii.gz -s wasaby_3t", "Did you mean 'wasabi_3t'?"),
        ("wasabi images/cest.nii.gz -s images/offsets.txt", "WASABI needs the pulse that was played"),
        ("mtr-asymmetry images/cest.nii.gz -s images/offsets.txt --at 3.6", "no MTR asymmetry at 3.6 ppm"),
        ("correct-b0 images/cest.nii.gz -s images/offsets.txt --b0 images/cest.nii.gz", "resample it to the series"),
        ("bloch-mcconnell images/cest.nii.gz -s images/offsets.txt --tissue water_3t --fit water.t2", "name the .seq"),
        ("normalise images", "holds no signal"),
    ],
)
def test_bad_input_is_a_sentence_and_leaves_nothing(here: Path, arguments: str, reason: str) -> None:
    before = sorted(here.iterdir())
    done = run(*arguments.split(), "-o", "results")
    assert done.exit_code == 1
    assert done.output.startswith("error: ")
    assert reason in done.output
    assert sorted(here.iterdir()) == before


def test_a_series_of_nothing_but_nan_is_refused(here: Path) -> None:
    save(np.full((*SHAPE, OFFSETS.size), np.nan), here / "empty.nii.gz")
    done = run("lorentzian", "empty.nii.gz", "-s", "images/offsets.txt", "-o", "l")
    assert "None of the 24 voxels of empty has a finite spectrum; check the series" in done.output
    assert not (here / "l").exists()


def test_results_are_replaced_only_when_asked(here: Path) -> None:
    arguments = ("normalise", "images/cest.nii.gz", "-s", "images/offsets.txt", "-o", "z")
    assert run(*arguments).exit_code == 0
    assert run(*arguments).exit_code == 1
    assert run(*arguments, "--overwrite").exit_code == 0
