"""From a schedule to maps: `generate` a small dictionary, measure a phantom, `quantify match`, and know the errors."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner, Result

from spinloom import read_sequence
from spinloom.cli import root
from spinloom.learning.signal_set import open_set
from spinloom.quantify.fingerprint_phantoms import fingerprint_phantom

TISSUE = ["simulator=cest", "sequence=mrf_larginine_9p4t", "tissue=larginine_phantom_9p4t", "tracking=off"]
GRID = [
    "experiment=larginine_dictionary",
    "tissue.t1=choice(2.7, 2.8, 2.9)",
    "tissue.t2=choice(0.9, 1.0, 1.1)",
    "tissue.cest_pool.arginine.k=choice(100, 130, 160, 350, 410, 470, 1100, 1300, 1400)",
    "tissue.cest_pool.arginine.f=linspace(3*30/110000, 3*70/110000, 5)",
    "chunk=100",
]
RATE, SHARE = "cest_pool.arginine.k", "cest_pool.arginine.f"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dictionary of 405 entries, and the vials without noise and with two amounts of it."""
    folder = tmp_path_factory.mktemp("fingerprints")
    done("generate", *GRID, "tracking=off", f"output={folder / 'set'}")
    for name, noise in (("clean", []), ("good", ["--snr", "400"]), ("poor", ["--snr", "50"])):
        done("quantify", "phantom", "larginine_vials", "-o", str(folder / name), "--matrix", "24", *noise)
    return folder


@pytest.fixture
def here(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; the material lies beside it under `m`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").symlink_to(material)
    return tmp_path


def matched(name: str, output: str, *more: str) -> dict:
    """Match the vials `name` in the dictionary; the record of it."""
    data = (f"m/{name}/series.nii.gz", "-m", f"m/{name}/mask.nii.gz", "--truth", f"m/{name}/truth")
    done("quantify", "match", *data, "-d", "m/set", "-o", output, *more)
    return json.loads((Path(output) / "run.json").read_text())


def volume(path: Path) -> np.ndarray:
    return nibabel.load(path).get_fdata()


def test_without_noise_every_voxel_finds_its_grid_point_exactly(here: Path) -> None:
    metrics = matched("clean", "maps", "-s", "mrf_larginine_9p4t")["metrics"]
    for number in ("water_pool.t1", "water_pool.t2", RATE, SHARE):
        # maps of the truth are kept in single precision
        assert metrics[f"{number}/worst"] <= 6e-8 * metrics[number]
    assert metrics[f"{RATE}/nrmse"] == 0
    phantom = fingerprint_phantom("larginine_vials", 24)
    outside = ~phantom.grid.inside
    assert np.isnan(volume(here / "maps" / f"{RATE}.nii.gz")[outside]).all()
    assert sorted(np.unique(volume(here / "maps" / f"{RATE}.nii.gz")[~outside])) == [130, 410, 1300]


def test_noise_makes_errors_that_fall_with_it_and_intervals_that_hold_the_truth(here: Path) -> None:
    poor, good = matched("poor", "poor")["metrics"], matched("good", "good")["metrics"]
    assert good[f"{RATE}/nrmse"] <= 0.5 * poor[f"{RATE}/nrmse"]
    # on so coarse a grid intervals err on the safe side
    assert poor[f"{RATE}/covered"] > 0.95
    assert poor["m0"] == pytest.approx(1, abs=0.01)
    for name in ("maps.svg", "maps.png"):
        assert (here / "poor" / "figures" / name).stat().st_size > 1000
    assert "cest_pool.arginine.k [1/s]" in (here / "poor" / "figures" / "maps.svg").read_text()


def test_compression_states_its_energy_loss_and_gives_the_same_maps_where_that_is_little(here: Path) -> None:
    matched("clean", "whole", "--level", "0")
    record = matched("clean", "less", "--energy-loss", "1e-10", "--level", "0")
    assert record["params"]["energy_loss"] <= 1e-10
    assert record["params"]["rank"] < 30
    assert any("which loses" in note for note in record["notes"])
    names = {path.name for path in (here / "whole").glob("*.nii.gz")}
    assert f"{RATE}_low.nii.gz" not in names
    for name in names:
        np.testing.assert_array_equal(volume(here / "whole" / name), volume(here / "less" / name))


def test_means_are_between_grid_points_and_have_an_error_in_their_unit(here: Path) -> None:
    record = matched("poor", "means", "--estimate", "mean", "--level", "0")
    assert record["params"]["estimate"] == "mean"
    rate, error = (volume(here / "means" / f"{RATE}{ending}.nii.gz") for ending in ("", "_error"))
    grid = np.unique(volume(here / "poor" / f"{RATE}.nii.gz")) if matched("poor", "poor") else rate
    inside = np.isfinite(rate)
    assert not np.isin(rate[inside], grid).all()
    assert (error[inside] > 0).any()
    best, mean = (json.loads((here / name / "run.json").read_text())["metrics"] for name in ("poor", "means"))
    assert mean[f"{RATE}/nrmse"] < best[f"{RATE}/nrmse"]
    assert f"{RATE}_error" in mean


def test_a_run_is_matched_by_its_own_sequence_and_knows_its_truth(here: Path) -> None:
    done("simulate", *TISSUE, "tissue.t1=2.8", f"tissue.{RATE}=[350,1100]", "output=sim")
    output = done("quantify", "match", "sim", "-d", "m/set", "-o", "maps")
    assert "2 of 2 tissues of sim matched with 405 entries" in output
    assert f"{RATE} against what is known: bias 0, worst 0, NRMSE 0 %" in output
    rows = list(csv.DictReader((here / "maps" / "maps.csv").open()))
    assert [float(row[RATE]) for row in rows] == [350, 1100]


def test_the_signals_of_a_phantom_are_those_of_its_tissue(here: Path) -> None:
    """An entry of the dictionary with the numbers of the first vial is what the vial sends."""
    phantom = fingerprint_phantom("larginine_vials", 24)
    signals = phantom.signals(read_sequence(phantom.sequence))
    part = open_set("m/set").part(0, slice(0, 405))
    for rate in (130.0, 410.0, 1300.0):
        near = {**{name: float(phantom.numbers[name][0]) for name in phantom.numbers}, RATE: rate}
        entry = next(
            row
            for row in range(405)
            if all(abs(float(part.numbers[name][row]) / value - 1) < 1e-9 for name, value in near.items())
        )
        voxel = int((phantom.numbers[RATE] == rate).nonzero()[0])
        # the set keeps single precision
        np.testing.assert_allclose(signals[voxel], part.mxy[entry].abs(), atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("m/good/series.nii.gz -d m/nothing", "holds no set of signals"),
        ("m/good/series.nii.gz -d m/set -s mrf_mt_7t", "is of another sequence than the dictionary set"),
        ("m/good/mask.nii.gz -d m/set", "a series has four axes"),
        ("short.nii.gz -d m/set", "has 29 measurements, but set has 30"),
        ("zero.nii.gz -d m/set", "has a signal that is finite and not zero"),
        ("m/good/series.nii.gz -d m/set --quantity mx", "Did you mean 'm"),
        ("m/good/series.nii.gz -d m/set --rank 31", "give 1 to 30"),
        ("m/good/series.nii.gz -d m/set --level 1.5", "is no probability"),
        ("m/good/series.nii.gz -d m/set --estimate means", "Did you mean 'mean'?"),
        ("m/good/series.nii.gz -d m/set --truth m/good", "holds no map of"),
        ("nothing.nii -d m/set", "There is no image nothing.nii"),
    ],
)
def test_bad_input_is_a_sentence_and_leaves_nothing(here: Path, arguments: str, reason: str) -> None:
    series = nibabel.load("m/good/series.nii.gz")
    values = series.get_fdata()
    nibabel.save(nibabel.Nifti1Image(values[..., 1:], series.affine), "short.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.zeros_like(values), series.affine), "zero.nii.gz")
    before = sorted(here.iterdir())
    result = run("quantify", "match", *arguments.split(), "-o", "results")
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert reason in result.output
    assert sorted(here.iterdir()) == before


def test_a_phantom_that_is_not_known_is_refused_with_the_nearest(here: Path) -> None:
    result = run("quantify", "phantom", "larginine_vial", "-o", "p")
    assert result.exit_code == 1
    assert "Did you mean 'larginine_vials'?" in result.output
    assert not (here / "p").exists()
