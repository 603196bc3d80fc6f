"""`spinloom reproduce` of sets, trainings and evaluations: the same again, or what differs, or why it cannot be."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from click.testing import CliRunner, Result

from spinloom.cli import root
from spinloom.sequence_sources import sequence_content
from spinloom.tracking import RUN_FILE

SEQUENCE = "mrf_larginine_9p4t"
TISSUE = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)", "tissue.t2=loguniform(0.6, 1.2)"]
NETWORK = ["surrogate=dynamic_mlp", "surrogate.hidden=[8]", "training.accelerator=cpu", "training.batch=8"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def work(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tracked set in it, a training on it, one on fresh samples of a file, and an evaluation."""
    folder = tmp_path_factory.mktemp("work")
    by = ["simulator=surrogate", f"simulator.model={teacher}", *TISSUE, "chunk=16"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("own.seq").write_bytes(sequence_content(SEQUENCE))
        done("generate", *by, f"sequence={SEQUENCE}", "samples=60", "output=set")
        done("train", *NETWORK, "set=set", "training.epochs=2", "tracking=off", "output=of_set")
        fresh = ["sequence=own.seq", "samples=32", "training.epochs=2", "tracking=off", "output=of_fresh"]
        done("train", *NETWORK, *by, *fresh)
        against = ["model=of_set", f"sequence={SEQUENCE}", "samples=8", "tracking=off", "output=evaluated"]
        done("evaluate", *by, *against)
    return folder


@pytest.fixture
def own(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `work`, which is the working directory and which a test may change."""
    shutil.copytree(work, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    for name in ("of_set", "evaluated"):
        record = json.loads(Path(name, RUN_FILE).read_text())
        params = {key: str(value).replace(str(work), str(tmp_path / "own")) for key, value in record["params"].items()}
        Path(name, RUN_FILE).write_text(json.dumps({**record, "params": params}))
    return tmp_path / "own"


def of_set(folder: Path) -> str:
    """Id of the run that made the set."""
    from spinloom.tracking import Order, TrackingSettings, find_runs

    settings = TrackingSettings(uri=f"sqlite:///{folder / 'mlruns' / 'spinloom.db'}")
    (found,) = find_runs(settings, "tags.`spinloom.task` = 'generate'", Order(), 5)
    return found.run_id


@pytest.mark.parametrize("name", ["of_set", "of_fresh", "evaluated"])
def test_a_run_is_repeated_bit_for_bit_from_its_folder_alone(
    name: str, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "of_fresh":  # its sequence is kept with the run, so that it needs neither the file nor the folder
        shutil.move(own / name, tmp_path / name)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
    assert "reproduced bit for bit." in done("reproduce", str(tmp_path / name if name == "of_fresh" else own / name))


def test_a_set_is_made_again_and_compared_by_its_digest(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)
    assert done("reproduce", of_set(work)).startswith("set set: reproduced bit for bit.")


def change_sample(folder: Path, by: float) -> None:
    """Change one number of a set and seal it anew, as if it had been made so."""
    group = zarr.open_group(str(folder / "set"), mode="r+")
    group["mxy"][3] = np.asarray(group["mxy"][3]) + by
    group.attrs["digest"] = "0" * 64


def test_what_differs_is_told_with_its_size(own: Path) -> None:
    record = json.loads((own / "of_set" / RUN_FILE).read_text())
    record["metrics"]["validation_nrmse"] *= 2
    (own / "of_set" / RUN_FILE).write_text(json.dumps(record))
    result = run("reproduce", "of_set")
    assert result.exit_code == 0, result.output  # the weights are the same
    assert "reproduced to rounding; the weights differ by up to 0; the validation NRMSE was" in result.output
    record = json.loads((own / "evaluated" / RUN_FILE).read_text())
    record["metrics"]["nrmse"] *= 2
    (own / "evaluated" / RUN_FILE).write_text(json.dumps(record))
    result = run("reproduce", "evaluated")
    assert result.exit_code == 1
    assert re.search(r"NOT reproduced; the NRMSE was [\d.]+ % and is [\d.]+ %", result.output)


def test_a_training_whose_set_is_another_or_gone_is_not_repeated(own: Path) -> None:
    change_sample(own, 0.1)
    result = run("reproduce", "of_set")
    assert result.exit_code == 1
    assert "is not the one that 'dynamic_mlp in of_set' learned from: its digest was" in result.stderr
    shutil.rmtree(own / "set")
    assert "holds no set of signals" in run("reproduce", "of_set").stderr


def test_an_evaluation_of_a_model_with_other_weights_is_not_repeated(own: Path) -> None:
    shutil.rmtree(own / "of_set")
    shutil.move("of_fresh", "of_set")
    result = run("reproduce", "evaluated")
    assert result.exit_code == 1
    assert "model=of_set has other weights than when" in result.stderr


@pytest.mark.parametrize(("task", "words"), [("tune", "each of its trials"), ("match", "repeats simulate, generate")])
def test_other_runs_are_refused_with_a_sentence(task: str, words: str, own: Path) -> None:
    record = json.loads((own / "of_set" / RUN_FILE).read_text())
    (own / "of_set" / RUN_FILE).write_text(json.dumps({**record, "task": task}))
    result = run("reproduce", "of_set")
    assert result.exit_code == 1
    assert words in result.stderr
