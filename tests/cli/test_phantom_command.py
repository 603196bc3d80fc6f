"""`spinloom phantom`: lists, pictures and files, and what it says of bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spinloom.cli import root
from spinloom.tissue.phantoms.door import default_settings, phantom, phantom_names


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["phantom", *arguments])


def test_the_list_names_every_phantom_within_100_columns() -> None:
    lines = run("list").output.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["name", *phantom_names()]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", phantom_names())
def test_the_options_of_a_phantom_are_listed_with_their_defaults(name: str) -> None:
    lines = run("list", name).output.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "option",
        *list(default_settings(name))[1:],
    ]
    assert max(map(len, lines)) <= 100


def test_a_picture_goes_to_the_working_folder_under_the_phantom_s_name(folder: Path) -> None:
    assert run("show", "tubes", "matrix=24").output == "Wrote tubes.png.\n"
    assert (folder / "tubes.png").read_bytes().startswith(b"\x89PNG")
    assert run("show", "brain", "matrix=[24,24]", "b0_hz=[-9,9]", "-o", "b.svg").exit_code == 0
    assert "ΔB₀  [Hz]" in (folder / "b.svg").read_text()


def test_a_phantom_is_written_and_read_again_with_its_options(folder: Path) -> None:
    assert run("make", "shapes", "matrix=16", "seed=3", "-o", "s.zarr").output == "Wrote s.zarr.\n"
    assert phantom("s.zarr").m0.equal(phantom("shapes", matrix=16, seed=3).m0)
    assert run("make", "s.zarr", "-o", "maps").exit_code == 0
    assert phantom("maps").m0.equal(phantom("s.zarr").m0)
    assert run("show", "maps").output == "Wrote maps.png.\n"
    assert "exists; name another folder" in run("make", "tubes", "-o", "s.zarr").output
    assert run("make", "tubes", "matrix=16", "-o", "s.zarr", "--overwrite").exit_code == 0
    assert phantom("s.zarr").name == "tubes"


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["show", "brian"], 1, "error: 'brian' is neither a phantom"),
        (["show", "tubes", "matirx=3"], 1, "Did you mean 'matrix'"),
        (["show", "tubes", "64"], 2, "'64' is no option of a phantom; write KEY=VALUE"),
        (["show", "tubes", "matrix=[64"], 2, "has a value that cannot be read; write lists as [1,2,3]"),
        (["show", "tubes", "-o", "tubes.bmp"], 1, "A figure cannot be written as 'tubes.bmp'"),
        (["make", "tubes", "coils=2", "-o", "maps"], 1, "write it to a name in .zarr"),
        (["make", "tubes", "-o", "maps", "--overwrite"], 2, "--overwrite is for NAME.zarr"),
        (["make", "tubes"], 2, "Missing option '-o'"),
        (["list", "tube"], 1, "There is no phantom 'tube'. Did you mean 'tubes'"),
    ],
)
def test_bad_input_is_a_sentence_and_writes_nothing(folder: Path, arguments: list[str], code: int, reason: str) -> None:
    done = run(*arguments)
    assert done.exit_code == code
    assert reason in done.output
    assert list(folder.iterdir()) == []
