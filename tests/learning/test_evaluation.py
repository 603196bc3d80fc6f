"""A network against a simulator: errors that are known come out, wherever they were put in."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from spinloom.cli import root
from spinloom.evaluation.surrogate_errors import BINS, Comparison, against_numbers, overall

SEQUENCE = "sequence=mrf_larginine_9p4t"
TISSUE = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)"]


def evaluate(teacher: Path, model: Path, *arguments: str) -> Result:
    """A network against the teacher as the simulator."""
    by = ["simulator=surrogate", f"simulator.model={teacher}", f"model={model}", SEQUENCE, *TISSUE]
    return CliRunner().invoke(
        root, ["evaluate", *by, "samples=30", "chunk=8", "tracking=off", "output=out", *arguments]
    )


def compared(error: np.ndarray, exact: np.ndarray, **numbers: np.ndarray) -> Comparison:
    return Comparison(exact + error, exact, numbers, dict.fromkeys(numbers, "1"))


EXACT = np.random.default_rng(0).uniform(0, 1, (1000, 5))
EXACT[0, :2] = 0.0, 1.0  # so that the range is 1


def test_a_constant_error_is_the_bias_the_nrmse_and_the_worst() -> None:
    found = overall(compared(np.full_like(EXACT, 0.02), EXACT))
    for name in ("bias", "nrmse", "max_abs_error", "nrmse_95_percent", "nrmse_worst_sample"):
        assert found[name] == pytest.approx(0.02, rel=1e-9)
    assert found["pearson_r"] == pytest.approx(1.0, abs=1e-12)


def test_an_error_where_a_number_is_small_shows_there_and_nowhere_else() -> None:
    number = np.linspace(0, 1, 1000)[:, None]
    error = np.where(number < 0.1, 0.3, 0.0) * np.ones_like(EXACT)
    bins = against_numbers(compared(error, EXACT, small=number))["small"]
    assert bins.worst == 0
    # the lowest tenth ends at its 99.9th sample, so that all of it errs but for the rounding of the quantile
    np.testing.assert_allclose(bins.nrmse, [0.3] + [0.0] * (BINS - 1), atol=1e-12)
    assert bins.edges[1] == pytest.approx(0.1, rel=1e-6)


def test_a_number_that_varies_from_step_to_step_is_binned_by_step() -> None:
    steps = np.broadcast_to(np.arange(5.0), EXACT.shape)
    error = np.where(steps == 3, 0.1, 0.0)
    found = compared(error, EXACT, step=steps)
    np.testing.assert_allclose(found.step_nrmse, [0, 0, 0, 0.1, 0], atol=1e-12)
    assert against_numbers(found)["step"].nrmse.max() == pytest.approx(0.1, rel=1e-9)


def test_what_does_not_vary_has_no_bins() -> None:
    constant = np.full((1000, 1), 3.0) + 1e-6 * EXACT[:, :1]
    assert against_numbers(compared(0 * EXACT, EXACT, constant=constant)) == {}


def test_shorter_sequences_count_by_their_own_measurements_alone() -> None:
    padded, error = EXACT.copy(), np.full_like(EXACT, 0.02)
    padded[500:, 3:] = np.nan
    found = compared(error, padded)
    assert overall(found)["nrmse"] == pytest.approx(0.02, rel=1e-9)
    np.testing.assert_allclose(found.sample_nrmse, 0.02, rtol=1e-9)
    np.testing.assert_allclose(found.step_nrmse, 0.02, rtol=1e-9)


def test_a_network_agrees_with_itself(teacher: Path, here: Path) -> None:
    result = evaluate(teacher, teacher)
    assert result.exit_code == 0, result.output
    metrics = json.loads((here / "out" / "run.json").read_text())["metrics"]
    # the simulator's signal is handed on in double precision, of numbers in single precision: nothing is lost
    assert metrics["nrmse"] == metrics["max_abs_error"] == metrics["bias"] == 0
    assert metrics["pearson_r"] == pytest.approx(1.0, abs=1e-12)
    assert metrics["samples"] == 30


def test_the_folder_holds_the_errors_as_numbers_and_as_pictures(teacher: Path, save_small, here: Path) -> None:
    other = save_small(here / "other", seed=1)
    assert evaluate(teacher, other, "tissue.t1=uniform(1.5, 3.3)").exit_code == 0
    folder = here / "out"
    assert {"report.html", "run.json", "config.yaml", "errors_by_number.csv"} <= set(os.listdir(folder))
    rows = list(csv.DictReader((folder / "errors_by_number.csv").open()))
    water = [float(row["nrmse"]) for row in rows if row["number"] == "water T1"]
    whole = json.loads((folder / "run.json").read_text())["metrics"]["nrmse"]
    # tenths hold equally many values, so that their squares average to that of the whole
    assert np.sqrt(np.mean(np.square(water))) == pytest.approx(whole, rel=1e-6)
    names = {row["number"] for row in rows}
    assert "B1" in names  # of the sequence, step by step
    assert "water_pool.t1" not in names  # which is water T1 under another name
    assert (folder / "report.html").read_text().count("<figure") == 4


def test_samples_do_not_depend_on_the_chunk(teacher: Path, save_small, here: Path) -> None:
    """Grids are the same however they are cut."""
    other = save_small(here / "other", seed=1)
    found = []
    for chunk in (3, 8):
        grid = ["tissue.t1='linspace(2.5, 3.3, 8)'", "samples=null", f"chunk={chunk}", f"output=grid{chunk}"]
        assert evaluate(teacher, other, *grid).exit_code == 0
        found.append(json.loads((here / f"grid{chunk}" / "run.json").read_text())["metrics"]["nrmse"])
    # the network multiplies in single precision, and batches of another size add in another order
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_samples_outside_the_valid_range_are_counted(teacher: Path, here: Path) -> None:
    result = evaluate(teacher, teacher, "tissue.t1='linspace(3.2, 4.2, 6)'", "samples=null")
    assert "water T1 is outside the network's valid range, 1.3 to 3.4 s, in 4 of 6 samples." in result.output


BAD_INPUT = {
    "a model that is none": (["model=no/model"], "There is no trained surrogate at no/model"),
    "a chunk of nothing": (["chunk=0"], "chunk is 0"),
    "no samples": (["samples=null"], "say how many tissues"),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gets_one_sentence_and_writes_nothing(
    wrong: list[str], expected: str, teacher: Path, here: Path
) -> None:
    result = evaluate(teacher, teacher, *wrong)
    assert result.exit_code == 1, result.output
    assert expected in result.stderr
    assert os.listdir(here) == []


def test_a_simulator_of_images_is_refused_with_one_of_tissues(teacher: Path, here: Path) -> None:
    asked = ["simulator=epi", f"model={teacher}", SEQUENCE, *TISSUE, "samples=4", "tracking=off", "output=out"]
    result = CliRunner().invoke(root, ["evaluate", *asked])
    assert result.exit_code == 1
    assert "Simulator 'epi' makes images of a phantom" in result.stderr
    assert "such as simulator=cest" in result.stderr
    assert list(here.iterdir()) == []
