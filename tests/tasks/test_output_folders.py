"""Output folders appear whole or not at all, and never replace what is not theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spinloom.errors import OutputError
from spinloom.tasks.folders import check_output
from spinloom.tracking import RUN_FILE
from spinloom.whole_folder import whole_folder


def fill(folder: Path, text: str) -> None:
    (folder / RUN_FILE).write_text(text)


def test_a_folder_appears_when_the_block_ends_and_holds_what_was_written(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "results"
    with whole_folder(target) as folder:
        fill(folder, "1")
        assert not target.exists()
    assert (target / RUN_FILE).read_text() == "1"
    assert os.listdir(target.parent) == ["results"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half way"), whole_folder(tmp_path / "results") as folder:
        fill(folder, "1")
        raise RuntimeError("half way")
    assert os.listdir(tmp_path) == []


def test_a_failure_while_replacing_leaves_the_earlier_results(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "results") as folder:
        fill(folder, "old")
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "results") as folder:
        fill(folder, "new")
        raise RuntimeError
    assert (tmp_path / "results" / RUN_FILE).read_text() == "old"
    assert os.listdir(tmp_path) == ["results"]


def test_a_replacement_takes_the_place_of_all_the_earlier_results(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with whole_folder(tmp_path / "results") as folder:
            (folder / f"{name}.txt").write_text(name)
    assert os.listdir(tmp_path) == ["results"]
    assert os.listdir(tmp_path / "results") == ["new.txt"]


def test_earlier_results_are_kept_unless_overwriting_was_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "{}")
    with pytest.raises(OutputError, match=r"holds the results of a run; name another folder or add overwrite=true"):
        check_output(tmp_path, overwrite=False)
    check_output(tmp_path, overwrite=True)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_with_anything_else_is_never_touched(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds files that no run of Spinloom wrote; name another folder"):
        check_output(tmp_path, overwrite)


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(OutputError, match=r"results is a file; name a folder"):
        check_output(tmp_path / "results", overwrite=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk")
def test_running_out_of_space_while_writing_becomes_an_error_with_the_way_out(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"cannot be written to .*results: No space left.*Free some space"),
        whole_folder(tmp_path / "results") as folder,
    ):
        (folder / "signal").symlink_to("/dev/full")
        with (folder / "signal").open("w") as file:
            file.write("x" * 100_000)
            file.flush()
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_place_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with (
            pytest.raises(OutputError, match=r"cannot be written to .*Permission denied"),
            whole_folder(tmp_path / "r"),
        ):
            pytest.fail("the block must not run")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_a_place_where_no_folder_can_be_made_is_an_error_with_the_way_out() -> None:
    """/proc refuses folders to root as well, as a read-only file system does."""
    with (
        pytest.raises(OutputError, match=r"cannot be written to /proc/spinloom/results"),
        whole_folder(Path("/proc/spinloom/results")),
    ):
        pytest.fail("the block must not run")
