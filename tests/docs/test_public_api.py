"""The public API is what `spinloom` exports and what `docs/api` documents: the two hold each other together."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

import spinloom

FOLDER = Path(__file__).parents[2] / "docs" / "api"
DOCUMENTED = re.compile(r"^\.\. auto(?:class|function|exception|data):: (spinloom[\w.]*)\.(\w+)$", re.MULTILINE)
PAGES = {path.stem: DOCUMENTED.findall(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.md"))}
INDEX = (FOLDER / "index.md").read_text(encoding="utf-8")


def test_every_exported_name_is_documented_once_and_nothing_else_is() -> None:
    documented = [name for names in PAGES.values() for module, name in names if module == "spinloom"]
    assert sorted(documented) == spinloom.__all__


def test_the_contracts_of_testing_are_documented() -> None:
    testing = importlib.import_module("spinloom.testing")
    assert {name for module, name in PAGES["testing"] if module == "spinloom.testing"} == set(testing.__all__)


@pytest.mark.parametrize("name", spinloom.__all__)
def test_the_classes_that_a_public_name_takes_and_returns_are_documented(name: str) -> None:
    documented = {getattr(importlib.import_module(module), own) for names in PAGES.values() for module, own in names}
    unknown = {f"{kind.__module__}.{kind.__name__}" for kind in classes_named_by(getattr(spinloom, name)) - documented}
    assert not unknown


def classes_named_by(value: object) -> set[type]:
    """Spinloom's classes in the annotations of a function, or of a class and its public methods."""
    members = vars(value).items() if inspect.isclass(value) else ()
    methods = [getattr(member, "fget", None) or member for own, member in members if own[0] != "_" or own == "__init__"]
    annotated = [inspect.unwrap(part) for part in (value, *methods) if inspect.isclass(part) or callable(part)]
    homes = [(vars(sys.modules[part.__module__]), getattr(part, "__annotations__", {}).values()) for part in annotated]
    found = {home.get(word) for home, texts in homes for text in texts for word in re.findall(r"\w+", str(text))}
    return {kind for kind in found if inspect.isclass(kind) and kind.__module__.partition(".")[0] == "spinloom"}


@pytest.mark.parametrize("page", [page for page, names in PAGES.items() if names])
def test_the_names_of_each_section_of_a_page_are_sorted(page: str) -> None:
    for section in (FOLDER / f"{page}.md").read_text(encoding="utf-8").split("\n## "):
        names = [name for _, name in DOCUMENTED.findall(section)]
        assert names == sorted(names)


def test_the_index_lists_every_name_in_order() -> None:
    assert re.findall(r"^   ~spinloom\.(\w+)$", INDEX, re.MULTILINE) == spinloom.__all__


def test_the_index_leads_to_every_page() -> None:
    contents = INDEX.split("```{toctree}")[1].split("```")[0].splitlines()
    assert set(PAGES) - {"index"} == {line for line in contents if re.fullmatch(r"\w+", line)}


@pytest.mark.parametrize("name", spinloom.__all__)
def test_a_public_name_says_what_it_is(name: str) -> None:
    """Classes and functions by their docstring, and so do the methods that a class does not inherit."""
    value = getattr(spinloom, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
    for method_name, method in vars(value).items() if inspect.isclass(value) else ():
        if not method_name.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
            assert inspect.getdoc(method), f"{name}.{method_name} has no docstring"


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for names in PAGES.values() for module, name in names if module != "spinloom"],
    ids=lambda value: value,
)
def test_what_is_public_beside_the_front_is_there(module: str, name: str) -> None:
    assert inspect.getdoc(getattr(importlib.import_module(module), name))
