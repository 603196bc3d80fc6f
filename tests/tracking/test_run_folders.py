"""A finished run folder in the store: all of it is logged, once, and can be fetched again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from spinloom import tracking
from spinloom.cli import root
from spinloom.errors import TrackingError
from spinloom.tracking import TrackingSettings

Reader = Callable[[TrackingSettings], list[Any]]
Files = Callable[[TrackingSettings, str], dict[str, bytes]]
Writer = Callable[..., Path]


def _spinloom(*arguments: object) -> Result:
    return CliRunner().invoke(root, [str(argument) for argument in arguments], catch_exceptions=False)


def test_all_that_a_run_folder_holds_is_logged(
    settings: TrackingSettings, run_folder: Writer, runs_in: Reader, files_of: Files
) -> None:
    folder = run_folder()

    with tracking.run(settings, task="simulate", name="aptw") as run:
        run.log_folder(folder)

    (stored,) = runs_in(settings)
    assert stored.data.params == {"sequence": "aptw", "simulator.dtype": "float64", "seed": "7", "device": "cpu"}
    assert stored.data.metrics == {"mtr_asymmetry_max": 0.031, "timings/simulate": 1.25}
    assert {
        "sequence.name": "aptw.seq",
        "sequence.sha256": "ab12",
        "version.torch": "2.6.0",
        "git.revision": "c0ffee",
        "git.changed": "True",
        "mlflow.source.git.commit": "c0ffee",
        "spinloom.version": "0.1.0",
        "spinloom.command": "spinloom simulate sequence=aptw",
        "study": "phantoms",
    }.items() <= stored.data.tags.items()
    paths = (path for path in folder.rglob("*") if path.is_file())
    assert files_of(settings, stored.info.run_id) == {str(p.relative_to(folder)): p.read_bytes() for p in paths}


def test_many_long_parameters_are_logged_whole(
    settings: TrackingSettings, run_folder: Writer, runs_in: Reader, files_of: Files
) -> None:
    long = "pool " * 2000
    params = {f"pools[{index}]": index for index in range(230)} | {"tissue": long}

    tracking.log_run_folder(run_folder(params=params, metrics={f"m{index}": index for index in range(1100)}), settings)

    (stored,) = runs_in(settings)
    assert {f"pools_{index}_": str(index) for index in range(230)}.items() <= stored.data.params.items()
    assert {f"m{index}": float(index) for index in range(1100)}.items() <= stored.data.metrics.items()
    assert "10000 characters are in parameters/tissue.txt" in stored.data.params["tissue"]
    assert files_of(settings, stored.info.run_id)["parameters/tissue.txt"].decode() == long


def test_a_metric_that_was_not_measured_is_left_out(
    settings: TrackingSettings, run_folder: Writer, runs_in: Reader
) -> None:
    tracking.log_run_folder(run_folder(metrics={"mae": None, "nrmse": 0.1}, timings={}), settings)

    assert runs_in(settings)[0].data.metrics == {"nrmse": 0.1}


def test_a_run_logged_later_keeps_the_time_when_it_ran(
    settings: TrackingSettings, run_folder: Writer, runs_in: Reader
) -> None:
    run_id = tracking.log_run_folder(run_folder(), settings)

    (stored,) = runs_in(settings)
    assert (stored.info.run_id, stored.info.run_name, stored.info.status) == (
        run_id,
        "aptw on white matter",
        "FINISHED",
    )
    assert stored.info.start_time == 1772366400000


def test_a_folder_that_is_logged_is_not_logged_twice(
    settings: TrackingSettings, run_folder: Writer, runs_in: Reader, tmp_path: Path
) -> None:
    folder = run_folder()
    with tracking.run(settings, task="simulate", name="aptw") as run:
        run.log_folder(folder)
    moved = folder.rename(tmp_path / "moved")

    said = _spinloom("track", moved, "--uri", settings.uri, "--experiment", settings.experiment)
    again = _spinloom("track", moved, "--uri", settings.uri, "--experiment", settings.experiment, "--again")

    assert f"is logged already, as run {run.run_id}" in said.output
    assert "--again logs it once more" in said.output
    assert "is logged as run" in again.output
    assert len(runs_in(settings)) == 2
    assert tracking.logged_run(moved, settings) in {stored.info.run_id for stored in runs_in(settings)}


def test_a_run_that_broke_off_does_not_count_as_logged(
    settings: TrackingSettings, run_folder: Writer, runs_in: Reader
) -> None:
    folder = run_folder()

    def break_off() -> None:
        with tracking.run(settings, task="simulate", name="aptw") as run:
            run.log_folder(folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    tracking.log_run_folder(folder, settings)

    assert sorted(stored.info.status for stored in runs_in(settings)) == ["FAILED", "FINISHED"]


def test_a_folder_goes_where_its_own_configuration_meant_it_to(
    run_folder: Writer, shared_store: str, runs_in: Reader
) -> None:
    meant = TrackingSettings(uri=shared_store, experiment="meant by the folder")
    folder = run_folder()
    (folder / "config.yaml").write_text(f"tracking: {{uri: '{shared_store}', experiment: {meant.experiment}}}\n")

    said = _spinloom("track", folder)

    assert said.exit_code == 0
    assert runs_in(meant)[0].info.run_id in said.output


def test_a_logged_run_is_fetched_whole(settings: TrackingSettings, run_folder: Writer, tmp_path: Path) -> None:
    folder = run_folder()
    run_id = tracking.log_run_folder(folder, settings)

    fetched = tracking.download_run(run_id, settings, tmp_path / "into")

    assert fetched == tmp_path / "into" / run_id
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert sorted(str(path.relative_to(fetched)) for path in fetched.rglob("*")) == names
    assert json.loads((fetched / "run.json").read_text()) == json.loads((folder / "run.json").read_text())
    assert [path.name for path in (tmp_path / "into").iterdir()] == [run_id]


def test_a_run_folder_needs_no_fetching(settings: TrackingSettings, run_folder: Writer, tmp_path: Path) -> None:
    folder = run_folder()

    assert tracking.download_run(str(folder), settings, tmp_path / "into") == folder
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize("run", ["0" * 32, "no such run", "../elsewhere"])
def test_an_unknown_run_is_answered_with_the_store_and_its_latest_runs(
    settings: TrackingSettings, run_folder: Writer, tmp_path: Path, run: str
) -> None:
    known = tracking.log_run_folder(run_folder(), settings)

    with pytest.raises(TrackingError) as caught:
        tracking.download_run(run, settings, tmp_path / "into")

    assert f"{settings.shown_uri} has no run '{run}'" in str(caught.value)
    assert f"{known} ('aptw on white matter')" in str(caught.value)
    assert "`spinloom ui --uri" in str(caught.value)
    assert not (tmp_path / "into").exists()


def test_a_run_without_results_cannot_be_fetched(settings: TrackingSettings, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), tracking.run(settings, task="train", name="broken") as run:
        raise ZeroDivisionError

    with pytest.raises(TrackingError, match=r"\('broken', FAILED\) logged no results.*look at it with `spinloom ui"):
        tracking.download_run(str(run.run_id), settings, tmp_path / "into")
    assert not [*(tmp_path / "into").iterdir()]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, r"is not a run folder: it has no run\.json\. Name the folder", id="without run.json"),
        pytest.param("{", r"run\.json' cannot be read: .*Run the task again", id="truncated"),
        pytest.param("[]", r"run\.json' holds no run: it lacks 'task'", id="a list"),
        pytest.param('{"task": "simulate"}', r"holds no run: it lacks 'name'", id="without a name"),
    ],
)
def test_a_folder_that_holds_no_run_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    (tmp_path / "other").mkdir()
    if content is not None:
        (tmp_path / "other" / "run.json").write_text(content)

    said = _spinloom("track", tmp_path / "other")

    assert said.exit_code == 1
    assert f"'{tmp_path / 'other'}" in said.output
    assert re.search(message, said.output)


@pytest.mark.parametrize(("name", "what"), [("missing", "does not exist"), ("file", "is a file")])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "file").write_text("")

    said = _spinloom("track", tmp_path / name)

    assert f"error: '{tmp_path / name}' is not a run folder: it {what}. Name the folder" in said.output


def test_a_configuration_that_cannot_be_read_is_named(run_folder: Writer) -> None:
    folder = run_folder()
    (folder / "config.yaml").write_text("a: [1")

    assert f"error: '{folder / 'config.yaml'}' cannot be read" in _spinloom("track", folder).output


def test_a_folder_cannot_be_logged_while_tracking_is_off(settings: TrackingSettings, run_folder: Writer) -> None:
    with tracking.run(replace(settings, enabled=False), task="simulate", name="one") as run:
        run.log_folder(run_folder())

    assert run.run_id is None
