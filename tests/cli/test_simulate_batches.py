"""`spinloom simulate` on grids, samples and tables of tissues, as a user runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

import spinloom
from spinloom.cli import root
from spinloom.commands.progress import ProgressLine

QUICK = ["simulator=cest", "sequence=mrf_larginine_9p4t", "tissue=larginine_phantom_9p4t", "tracking=off"]


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["simulate", *QUICK, *arguments])


def failure(result: Result) -> str:
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    return line


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_grid_gives_each_tissue_the_signal_that_it_has_alone(here: Path) -> None:
    done = simulate("tissue.t1=range(2.5, 3.1, 0.3)", "tissue.cest_pool.arginine.k=choice(100,900)", "output=grid")
    assert done.exit_code == 0, done.output
    assert "4 tissues of 'larginine_phantom_9p4t'" in done.output
    assert simulate("tissue.t1=2.8", "tissue.cest_pool.arginine.k=100", "output=one").exit_code == 0
    grid, one = spinloom.read_signal("grid"), spinloom.read_signal("one")
    assert grid.mz.shape == (4, 30)
    assert float((grid.mz[2] - one.mz).abs().max()) < 1e-12


def test_results_carry_their_parameters(here: Path) -> None:
    import zarr

    assert simulate("tissue.t1=uniform(2.5, 3.3)", "tissue.b0_inhom=choice(0,0.1)", "samples=3", "output=out").output
    parameters = {parameter.address: parameter for parameter in spinloom.read_parameters("out")}
    assert parameters["b0_inhom"].values.tolist() == [0, 0, 0, 0.1, 0.1, 0.1]
    t1 = zarr.open_group("out/signal.zarr", mode="r")["parameters/water_pool.t1"]
    assert dict(t1.attrs) == {"axes": "batch", "unit": "s", "meaning": "longitudinal relaxation"}
    assert np.array_equal(np.asarray(t1)[:3], np.asarray(t1)[3:])
    assert zarr.open_group("out/signal.zarr", mode="r")["mz"].attrs["axes"] == "batch sample"
    record = json.loads(Path("out/run.json").read_text())
    assert record["params"]["tissues"] == 6
    assert record["params"]["tissue.water_pool.t1"] == "uniform(2.5, 3.3)"
    page = Path("out/report.html").read_text()
    assert "2 of the tissue&#x27;s numbers vary over 6 tissues." in page


def test_a_single_tissue_has_no_parameters_and_no_batch_axis(here: Path) -> None:
    import zarr

    assert simulate("output=out").exit_code == 0
    assert spinloom.read_parameters("out") == ()
    assert zarr.open_group("out/signal.zarr", mode="r")["mz"].attrs["axes"] == "sample"


def test_a_table_is_kept_with_the_run_which_reproduces_without_the_original(here: Path) -> None:
    Path("mine.csv").write_text("t1,cest_pool.arginine.k\n2.5,100\n3.0,700\n")
    assert simulate("tissue.table=mine.csv", "output=out").exit_code == 0
    assert Path("out/tissues.csv").read_text() == Path("mine.csv").read_text()
    Path("mine.csv").unlink()
    again = CliRunner().invoke(root, ["reproduce", "out"])
    assert "reproduced bit for bit" in again.output, again.output


def test_samples_are_the_seeds(here: Path) -> None:
    draw = ["tissue.t1=uniform(2.5, 3.3)", "samples=4"]
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert simulate(*draw, f"seed={seed}", f"output={name}").exit_code == 0
    a, b, c = (spinloom.read_parameters(name)[0].values for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert "reproduced bit for bit" in CliRunner().invoke(root, ["reproduce", "c"]).output


def test_in_a_sweep_a_range_is_a_job_a_value_and_a_draw_still_a_batch(here: Path) -> None:
    arguments = ["tissue.t1=range(2,4)", "tissue.t2=uniform(0.5,1)", "samples=2", "output=sweep"]
    done = CliRunner().invoke(root, ["simulate", "-m", *QUICK, *arguments])
    assert done.exit_code == 0, done.output
    configs = [yaml.safe_load(Path(f"sweep/{job}/config.yaml").read_text()) for job in range(2)]
    assert [config["tissue"]["water_pool"]["t1"] for config in configs] == [2, 3]
    assert spinloom.read_signal("sweep/1").mz.shape == (2, 30)


BAD_BATCHES = {
    "an empty range": (["tissue.t1=range(3,2,0.1)"], ["'water_pool.t1'", "is empty"]),
    "draws without their number": (["tissue.t1=uniform(2,3)"], ["samples=1000"]),
    "a number without draws": (["samples=10"], ["samples=10 draws nothing"]),
    "no samples": (["tissue.t1=uniform(2,3)", "samples=0"], ["samples is 0", "whole number from 1"]),
    "a table that is not there": (["tissue.table=no.csv"], ["'no.csv' is no file"]),
    "an unknown function": (["tissue.t1=normal(2,3)"], ["'normal(2,3)'", "uniform"]),
    "a range for an unknown key": (["tissue.water_pool.t3=range(1,2,0.1)"], ["'water_pool.t3' is not a known key"]),
    "a batch beyond all memory": (["tissue.t1=range(1,2,1e-12)"], ["1,000,000,000,000 tissues", "GB are free", "fit"]),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD_BATCHES.values(), ids=BAD_BATCHES.keys())
def test_a_bad_batch_gets_one_sentence_and_writes_nothing(wrong: list[str], expected: list[str], here: Path) -> None:
    message = failure(simulate(*wrong))
    assert all(words in message for words in expected), message
    assert os.listdir(here) == []


class Terminal:
    """A stream that is or is not a terminal, and keeps what is written."""

    def __init__(self, live: bool) -> None:
        self.live, self.text = live, ""

    def isatty(self) -> bool:
        return self.live

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        return None


def test_short_work_says_nothing() -> None:
    terminal = Terminal(live=True)
    line = ProgressLine(terminal)  # type: ignore[arg-type]
    line(1, 2)
    line.close()
    assert terminal.text == ""


def test_progress_tells_rate_and_time_left() -> None:
    line = ProgressLine(Terminal(live=False))  # type: ignore[arg-type]
    assert line.sentence(25_000, 100_000, 10.0) == "25,000 of 100,000 tissues, 2,500/s, 30 s left"
    assert line.sentence(2, 1000, 8.0) == "2 of 1,000 tissues, 0.25/s, 67 min left"
    assert line.sentence(0, 10, 8.0) == "0 of 10 tissues, 0/s, unknown time left"


def test_a_terminal_gets_one_line_that_goes_away_and_a_log_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spinloom.commands.progress.QUIET_SECONDS", 0.0)
    live, log = Terminal(live=True), Terminal(live=False)
    for terminal in (live, log):
        line = ProgressLine(terminal)  # type: ignore[arg-type]
        line(1, 10)
        line(2, 10)
        line.close()
    assert live.text.startswith("\r1 of 10 tissues")
    assert live.text.endswith(" \r")
    assert log.text.count("\n") == 1
