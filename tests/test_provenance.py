"""Where results come from: versions, the state of a repository, the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spinloom import __version__, provenance


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_versions_name_spinloom_python_and_torch() -> None:
    versions = provenance.versions()

    assert versions["spinloom"] == __version__
    assert {"python", "torch", "numpy", "pypulseq"} <= set(versions)


def test_versions_are_found_without_importing_what_they_are_of() -> None:
    program = "import sys; from spinloom import provenance; provenance.versions(); print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout == "False\n"


def test_the_state_of_a_repository_tells_its_revision_and_whether_files_changed(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q", "-b", "trial")
    (tmp_path / "a.txt").write_text("one")
    _git(tmp_path, "add", "a.txt")
    _git(tmp_path, "commit", "-q", "-m", "first")

    state = provenance.git_state(tmp_path)
    (tmp_path / "a.txt").write_text("two")
    changed = provenance.git_state(tmp_path)

    revision = _git(tmp_path, "rev-parse", "HEAD")
    assert state == {"repository": tmp_path.name, "revision": revision, "branch": "trial", "changed": False}
    assert changed == {**state, "changed": True}


def test_there_is_no_state_without_a_commit_or_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    assert provenance.git_state(tmp_path / "plain") is None

    _git(tmp_path, "init", "-q")
    assert provenance.git_state(tmp_path) is None


def test_there_is_no_state_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert provenance.git_state() is None


def test_the_machine_has_a_name_and_processors() -> None:
    machine = provenance.machine()

    assert machine["processors"] >= 1
    assert machine["name"]
