"""`spinloom compare` of two folders of maps: errors that are put in come out, and what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from spinloom.cli import root
from spinloom.nifti import write_nifti

pytest.importorskip("skimage")

RANDOM = np.random.default_rng(0)
TRUTH = np.linspace(1.0, 2.0, 24 * 20).reshape(24, 20, 1)
NOISE = RANDOM.standard_normal(TRUTH.shape)
PLACE = np.diag([2.0, 2.0, 5.0, 1.0])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["compare", *arguments, "-o", "out"])


def write(folder: str, affine: np.ndarray = PLACE, **maps: np.ndarray) -> None:
    Path(folder).mkdir()
    for name, values in maps.items():
        write_nifti(Path(folder) / f"{name}.nii.gz", values.astype(np.float32), affine)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("truth", k=TRUTH)
    return tmp_path


def errors(here: Path) -> dict:
    return json.loads((here / "out" / "comparison.json").read_text())


def test_an_offset_and_noise_come_out_as_they_were_put_in(here: Path) -> None:
    write("a", k=TRUTH + 0.1, k_low=TRUTH, other=TRUTH)
    write("b", k=TRUTH + 0.05 * NOISE, k_low=TRUTH + 1)
    done = run("a", "b", "--truth", "truth")
    assert done.exit_code == 0, done.output
    found = errors(here)
    assert set(found["first against second"]) == {"k"}  # ends of intervals and maps of one side do not compare
    first, second = (found[f"{side} against truth"]["k"] for side in ("first", "second"))
    # the range of the truth is 1; maps are kept in single precision
    assert first["bias"] == pytest.approx(0.1, rel=1e-5)
    assert first["worst"] == pytest.approx(0.1, rel=1e-5)
    assert first["nrmse"] == pytest.approx(0.1, rel=1e-5)
    assert first["r"] == pytest.approx(1.0, abs=1e-9)
    assert second["nrmse"] == pytest.approx(0.05 * float(np.sqrt((NOISE**2).mean())), rel=1e-4)
    assert (here / "out" / "comparison.png").stat().st_size > 10_000


def test_a_background_makes_whole_images_of_maps(here: Path) -> None:
    """Half of the voxels hold nothing: squares average over twice as many, and the range begins at the background."""
    inside = np.broadcast_to(np.arange(24)[:, None, None] < 12, TRUTH.shape)
    for name, values in (("a", TRUTH + 0.05 * NOISE), ("b", TRUTH)):
        write(name, k=np.where(inside, values, np.nan))
    found = {}
    for background in ([], ["--background", "0"]):
        assert run("a", "b", *background).exit_code == 0
        found[bool(background)] = errors(here)["first against second"]["k"]
    assert (found[False]["voxels"], found[True]["voxels"]) == (240, 480)
    values = TRUTH[inside]
    expected = found[False]["nrmse"] * np.ptp(values) / values.max() / np.sqrt(2)
    assert found[True]["nrmse"] == pytest.approx(expected, rel=1e-6)
    assert found[True]["similarity"] > found[False]["similarity"]


def test_a_map_is_wholly_similar_to_itself_and_less_so_under_more_noise(here: Path) -> None:
    write("same", k=TRUTH)
    assert run("same", "truth").exit_code == 0
    found = [errors(here)["first against second"]["k"]["similarity"]]
    for number, sigma in enumerate((0.05, 0.2)):
        write(f"noisy{number}", k=TRUTH + sigma * NOISE)
        assert run(f"noisy{number}", "truth").exit_code == 0
        found.append(errors(here)["first against second"]["k"]["similarity"])
    assert found[0] == 1.0
    assert found[0] > found[1] > found[2] > 0


def test_similarity_of_a_shifted_constant_follows_its_formula(here: Path) -> None:
    """Where two maps differ by a constant, variances agree and only the term of the means is left."""
    blocks = np.kron(RANDOM.uniform(1, 2, (3, 3)), np.ones((8, 8)))[..., None]
    write("blocks", k=blocks)
    write("shifted", k=blocks + 0.3)
    assert run("shifted", "blocks").exit_code == 0
    constant = (0.01 * np.ptp(blocks)) ** 2
    least, most = (
        (2 * m * (m + 0.3) + constant) / (m**2 + (m + 0.3) ** 2 + constant) for m in (blocks.min(), blocks.max())
    )
    assert least <= errors(here)["first against second"]["k"]["similarity"] <= most


def test_what_lies_outside_counts_nowhere(here: Path) -> None:
    inside = np.zeros(TRUTH.shape, dtype=bool)
    inside[4:16, 4:16] = True
    write("a", k=np.where(inside, TRUTH + 0.1 * NOISE, np.nan))
    write("b", k=np.where(inside, TRUTH, np.nan))
    write("wide", k=np.where(inside, TRUTH, 99.0))
    assert run("a", "b").exit_code == 0
    narrow = errors(here)["first against second"]["k"]
    assert run("a", "wide").exit_code == 0
    assert narrow["voxels"] == 144
    assert errors(here)["first against second"]["k"] == narrow


def test_a_constant_reference_has_errors_and_no_range(here: Path) -> None:
    write("a", k=TRUTH)
    write("flat", k=np.full(TRUTH.shape, 1.5))
    done = run("a", "flat")
    assert done.exit_code == 0, done.output
    assert "constant" in done.output
    assert errors(here)["first against second"]["k"]["nrmse"] is None


def test_maps_that_do_not_fit_get_one_sentence(here: Path) -> None:
    write("other", f=TRUTH)
    write("elsewhere", affine=2 * PLACE, k=TRUTH)
    write("small", k=TRUTH[:9])
    for folder, expected in (
        ("other", "none in common"),
        ("elsewhere", "lie at other places"),
        ("small", "of one shape"),
    ):
        done = run(folder, "truth")
        assert done.exit_code == 1, done.output
        assert expected in done.stderr
    assert "holds none of the maps k" in run("truth", "truth", "--truth", "other").stderr
    assert "maps have units of their own" in run("truth", "truth", "--tolerance", "1").stderr
