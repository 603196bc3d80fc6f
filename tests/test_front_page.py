"""The front page of the package is complete, sorted and light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import spinloom


def test_the_front_page_is_sorted_and_complete() -> None:
    assert spinloom.__all__ == sorted(spinloom._HOMES)
    assert set(spinloom.__all__) <= set(dir(spinloom))


def test_type_checkers_see_the_same_names_from_the_same_homes() -> None:
    tree = ast.parse(Path(spinloom.__file__).read_text(encoding="utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = {alias.name: node.module for node in guarded.body for alias in node.names}
    assert imports == spinloom._HOMES


@pytest.mark.parametrize("name", spinloom.__all__)
def test_the_front_page_leads_to(name: str) -> None:
    value = getattr(spinloom, name)
    assert value is getattr(sys.modules[spinloom._HOMES[name]], name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'spinloom' has no attribute 'simulat'"):
        _ = spinloom.simulat


def test_importing_the_package_imports_nothing_heavy() -> None:
    check = "import spinloom, sys; print({'torch', 'numpy', 'mlflow'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
