"""Code that the guides show is whole: Python uses public names alone and, marked `<!-- run -->`, runs; data parse."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

API = Path(__file__).parents[2] / "docs" / "api"
DOCUMENTED = re.compile(r"^\.\. auto\w+:: (spinloom(?:\.testing[\w.]*|\.tracking)?\.\w+)$", re.MULTILINE)
PUBLIC = {name for page in API.glob("*.md") for name in DOCUMENTED.findall(page.read_text(encoding="utf-8"))}
PUBLIC_MODULES = {name.rpartition(".")[0] for name in PUBLIC}


def test_it_compiles_and_uses_public_names_alone(python_block) -> None:
    tree = ast.parse(python_block.text, str(python_block))
    used = {name for node in ast.walk(tree) for name in spinloom_names(node)}
    assert used <= PUBLIC | PUBLIC_MODULES, f"{python_block} uses private names"


def test_it_is_well_formed(data_block) -> None:
    assert tomllib.loads(data_block.text) if data_block.language == "toml" else yaml.safe_load(data_block.text)


def spinloom_names(node: ast.AST) -> set[str]:
    """Full names of what a statement or expression takes from `spinloom`."""
    if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "spinloom":
        return {f"{node.module}.{alias.name}" for alias in node.names}
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "spinloom":
        return {f"spinloom.{node.attr}"}
    return set()


def test_what_is_marked_runs(runnable_page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All marked blocks of a page, one after the other, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in runnable_page.blocks:
        exec(compile(block.text, str(block), "exec"), names)
