"""The page on plugins tells what the code does."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import get_args

import pytest

from spinloom import hookspecs
from spinloom.registry import state
from spinloom.registry.records import Status

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = [value for value in vars(hookspecs).values() if hasattr(value, "spinloom_spec")]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_the_page_shows_each_hook_with_its_parameters(hook) -> None:
    parameters = ", ".join(inspect.signature(hook).parameters)
    assert f"| `{hook.__name__}({parameters})` |" in PAGE


@pytest.mark.parametrize("status", get_args(Status))
def test_the_page_explains_each_status(status: str) -> None:
    assert f"| `{status}` |" in PAGE


def test_the_page_names_the_environment_variables() -> None:
    assert f"{state.ALLOW_VARIABLE}=" in PAGE
    assert f"`{state.FOLDER_VARIABLE}`" in PAGE


def test_the_page_shows_the_present_api_version() -> None:
    assert f'SPINLOOM_API = "{hookspecs.API_VERSION}"' in PAGE
