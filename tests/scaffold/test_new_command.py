"""`spinloom plugins new` writes a package that fits this host, and refuses what cannot be one with a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spinloom import __version__
from spinloom.cli import root
from spinloom.hookspecs import API_VERSION
from spinloom.scaffold import KINDS, package_files
from spinloom.scaffold.writing import host_range

AUTHORS_OWN = 60
"""Lines of code that a working simulator may take its author."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_folder: Path) -> Path:
    """An empty working directory."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def new(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["plugins", "new", *arguments])


def refusal(*arguments: str) -> str:
    result = new(*arguments)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_whole_package(kind: str, here: Path) -> None:
    result = new("my_own", "--kind", kind)
    assert result.exit_code == 0, result.output
    project = tomllib.loads((here / "spinloom-my-own" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["spinloom"] == {"my_own": "spinloom_my_own"}
    assert project["dependencies"] == [f"spinloom{host_range(__version__)}"]
    for path, text in package_files("my_own", kind).items():
        assert (here / "spinloom-my-own" / path).read_text() == text
        assert "$" not in text.replace("${{", "")
        if path.endswith(".py"):
            compile(text, path, "exec")
            assert max(map(len, text.splitlines())) <= 120


def test_the_plugin_states_the_present_api() -> None:
    assert f'SPINLOOM_API = "{API_VERSION}"' in package_files("my_own", "simulator")["spinloom_my_own/__init__.py"]


def test_a_simulator_is_few_lines_of_ones_own() -> None:
    """Code, without the docstring of the module, imports and blank lines."""
    text = package_files("my_own", "simulator")["spinloom_my_own/simulator.py"]
    body = text.partition("class ")[2].splitlines()
    code = [line for line in body if line.strip() and not line.strip().startswith(('"""', "#"))]
    assert len(code) <= AUTHORS_OWN


@pytest.mark.parametrize(
    ("version", "fits"),
    [("0.1.0", ">=0.1,<0.2"), ("0.9.3", ">=0.9,<0.10"), ("1.4.2", ">=1.4,<2"), ("12.0", ">=12.0,<13")],
)
def test_the_range_of_hosts_is_that_of_semantic_versions(version: str, fits: str) -> None:
    assert host_range(version) == fits


@pytest.mark.parametrize("name", ["2pool", "My", "a-b", "class", "a b", "é", "_x", "", "a/b", "../x"])
def test_a_name_that_is_no_identifier_is_refused(name: str, here: Path) -> None:
    assert f"'{name}' cannot be the name of a plugin: it is a Python identifier" in refusal(name, "--kind", "simulator")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("cest", "a plugin of distribution 'spinloom'"),
        ("cest_train", "a family of sequences of plugin 'cest'"),
        ("toy", "a module 'spinloom_toy' is installed already"),
    ],
)
def test_a_taken_name_is_refused_with_its_owner(
    name: str, whose: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spinloom_toy.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert whose.lower() in refusal(name, "--kind", "simulator").lower()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_exists_is_never_overwritten(what: str, here: Path) -> None:
    target = here / "spinloom-my-own"
    kept = target if what == "file" else target / "thesis.tex"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("years of work")
    assert "exists and is left as it is" in refusal("my_own", "--kind", "surrogate")
    assert kept.read_text() == "years of work"


def test_a_folder_that_cannot_be_written_is_told(here: Path) -> None:
    (here / "file").touch()
    assert "cannot be written" in refusal("my_own", "--kind", "simulator", "--dir", "file")


def test_an_unknown_kind_names_those_that_there_are(here: Path) -> None:
    result = new("my_own", "--kind", "metric")
    assert result.exit_code == 2
    assert "'simulator', 'surrogate', 'sequence-family'" in result.stderr
