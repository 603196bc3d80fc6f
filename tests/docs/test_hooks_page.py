"""`docs/plugins.md` documents every hook with its parameters, as the page of hooks in the code has them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from spinloom import hookspecs

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
SECTION = PAGE.split("\n## Hooks\n")[1].split("\n## ")[0]
ROWS = dict(re.findall(r"^\| `(spinloom_\w+)\(([^)]*)\)` \|", SECTION, re.MULTILINE))
HOOKS = {name: value for name, value in vars(hookspecs).items() if hasattr(value, "spinloom_spec")}


def test_the_section_lists_the_hooks_in_their_order_and_no_other() -> None:
    assert list(ROWS) == list(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_section_states_the_parameters_of(hook: str) -> None:
    assert ROWS[hook].split(", ") == (list(inspect.signature(HOOKS[hook]).parameters) or [""])


@pytest.mark.parametrize("hook", HOOKS)
def test_the_section_explains_each_parameter_of(hook: str) -> None:
    for parameter in inspect.signature(HOOKS[hook]).parameters:
        row = next(line for line in SECTION.splitlines() if line.startswith(f"| `{hook}("))
        assert f"`{parameter}`" in row.split("|", 2)[2]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_code_says_what_the_hook_is_for(hook: str) -> None:
    assert inspect.getdoc(HOOKS[hook])


def test_guides_show_the_present_version_of_the_plugin_api(linking_page: Path) -> None:
    shown = re.findall(r'^SPINLOOM_API = "(.+?)"', linking_page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(shown) <= {hookspecs.API_VERSION}
