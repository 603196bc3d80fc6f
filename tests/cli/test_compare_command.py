"""`spinloom compare` as a user runs it: signals with signals, with files, and what does not fit."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import spinloom
from spinloom.cli import root

PUBLIC = Path(__file__).parents[2].parent / "shared" / "data" / "pulseq-cest-library"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs `one`, `shifted` (by 0.1 ppm) and `three`, a batch of three tissues."""
    folder = tmp_path_factory.mktemp("runs")
    job = ["simulate", "simulator=cest", "sequence=aptw_3t_block", "tissue=wm_3t_7pool", "tracking=off"]
    for name, change in (("one", []), ("shifted", ["tissue.b0_inhom=0.1"]), ("three", ["tissue.b0=choice(3,4,5)"])):
        done = run(*job, *change, f"output={folder / name}")
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def here(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own that holds the runs."""
    for run_folder in runs.iterdir():
        (tmp_path / run_folder.name).symlink_to(run_folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_signal_and_itself_do_not_differ(here: Path) -> None:
    done = run("compare", "one", "one/signal.zarr", "--tolerance", "0")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[1].split()[:3] == ["mz", "0", "0"]
    assert (here / "comparison.png").stat().st_size > 10_000


def test_the_largest_difference_is_told_with_its_place(here: Path) -> None:
    done = run("compare", "one", "shifted", "-o", "out")
    one, shifted = (spinloom.read_signal(name) for name in ("one", "shifted"))
    apart = (one.mz - shifted.mz).abs().numpy()
    sample = int(apart.argmax())
    place = f"at sample {sample + 1}, offset {one.offset_ppm[sample]:.5g} ppm"
    assert f"{apart.max():.3g} M0, of mz, {place}" in done.output
    record = json.loads((here / "out" / "comparison.json").read_text())
    assert record[0]["largest"] == apart.max()
    assert record[0]["mean"] == pytest.approx(apart.mean())
    assert record[0]["r"] == pytest.approx(np.corrcoef(one.mz, shifted.mz)[0, 1])
    assert sorted(os.listdir("out")) == ["comparison.json", "comparison.png", "comparison.svg"]


def test_a_difference_beyond_the_tolerance_is_exit_code_1(here: Path) -> None:
    beyond = run("compare", "one", "shifted", "--tolerance", "1e-6")
    assert beyond.exit_code == 1
    assert "exceeds the tolerance of 1e-06 M0" in beyond.output
    assert run("compare", "one", "shifted", "--tolerance", "0.5").exit_code == 0


def test_a_signal_agrees_with_its_own_csv_and_with_a_plain_column_of_mz(here: Path) -> None:
    assert run("compare", "one", "one/zspectrum.csv", "--tolerance", "0").exit_code == 0
    mz = spinloom.read_signal("one").mz.numpy()
    Path("plain.txt").write_text("# Mz of another program\n" + "\n".join(f"{value:.9f}" for value in mz) + "\n")
    done = run("compare", "one", "plain.txt", "--tolerance", "1e-9", "-o", "plain.svg")
    assert done.exit_code == 0, done.output
    assert b"plain.txt" in Path("plain.svg").read_bytes()


def test_two_csvs_are_compared_in_all_that_they_share(here: Path) -> None:
    done = run("compare", "one/zspectrum.csv", "shifted/zspectrum.csv")
    assert [line.split()[0] for line in done.output.splitlines()[1:3]] == ["mz", "mz_over_m0"]


def test_a_batch_names_the_tissue_and_what_varies_there(here: Path) -> None:
    import zarr

    shutil.copytree("three", "other", symlinks=False)
    mz = zarr.open_group("other/signal.zarr", mode="r+")["mz"]
    mz[1, 4] = mz[1, 4] + 0.25
    done = run("compare", "three", "other", "--tolerance", "0.3")
    assert done.exit_code == 0
    assert "0.25 M0, of mz, at sample 5" in done.output
    assert "tissue 2, b0 4" in done.output


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public results do not lie beside the checkout")
def test_public_results_of_another_program_are_read_as_they_are(here: Path) -> None:
    name = "APTw_3T_000_2uT_1block_2s_braintumor.seq"
    tissue = PUBLIC / "WM_3T_default_7pool_bmsim.yaml"
    job = ["simulate", "simulator=cest", f"sequence={PUBLIC / name}", f"tissue={tissue}", "tracking=off", "output=peer"]
    assert run(*job).exit_code == 0
    done = run("compare", "peer", str(PUBLIC / f"M_z_{name}.txt"), "--tolerance", "1e-3")
    assert done.exit_code == 0, done.output


BAD_PAIRS = {
    "a run that is nowhere": (["one", "nowhere"], "no run 'nowhere', and no run folder has that path"),
    "a batch and one tissue": (
        ["one", "three"],
        "1 x 34 in 'one' and 3 x 34 in 'three'",
    ),
    "a longer column": (["one", "long.txt"], "1 x 40 in 'long.txt'"),
    "words": (["one", "words.csv"], "'words.csv', row 2: 'many' is not 1 numbers"),
    "a ragged table": (["one", "ragged.csv"], "'ragged.csv', row 1"),
    "columns that are none": (["one", "other.csv"], "has the columns time, signal; it needs one of mz, mz_over_m0"),
    "an empty file": (["one", "empty.csv"], "'empty.csv' holds no numbers"),
    "a folder without a signal": (["one", "folder"], "folder holds no signal"),
    "quantities apart": (["one", "ratio.csv"], "nothing to compare"),
    "numbers that are none": (["one", "nan.txt"], "'nan.txt' holds nan as mz of tissue 1, sample 34"),
    "a picture of no known kind": (["one", "shifted", "-o", "x.pdf"], "cannot be written as 'x.pdf'"),
}


@pytest.mark.parametrize(("arguments", "expected"), BAD_PAIRS.values(), ids=BAD_PAIRS.keys())
def test_what_does_not_fit_gets_one_sentence(arguments: list[str], expected: str, here: Path) -> None:
    Path("long.txt").write_text("0.5\n" * 39 + "0.6\n")
    Path("words.csv").write_text("mz\n1\nmany\n")
    Path("ragged.csv").write_text("offset_ppm,mz\n1\n")
    Path("other.csv").write_text("time,signal\n1,2\n")
    Path("empty.csv").write_text("# nothing yet\n")
    Path("ratio.csv").write_text("offset_ppm,mz_over_m0\n1,0.5\n")
    Path("nan.txt").write_text("0.5\n" * 33 + "nan\n")
    Path("folder").mkdir()
    result = run("compare", *arguments)
    assert result.exit_code == 1, result.output
    assert expected in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("comparison.png").exists()


def test_a_tolerance_that_is_none_is_a_usage_error(here: Path) -> None:
    done = run("compare", "one", "shifted", "--tolerance", "-1")
    assert done.exit_code == 2
    assert "it is a finite number from 0" in done.output
