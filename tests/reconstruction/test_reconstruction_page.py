"""The page on reconstruction runs as it stands and lists what there is."""

from __future__ import annotations

import re
from pathlib import Path

from spinloom.reconstruction.counters import NOT_IMAGING
from spinloom.reconstruction.frames import CONTRASTS, REPEATS
from spinloom.reconstruction.reconstruct import METHODS

PAGE = (Path(__file__).parents[2] / "docs" / "reconstruction.md").read_text(encoding="utf-8")


def test_the_examples_of_the_page_run() -> None:
    """Their assertions hold the trajectory, the labels, and the simulator against the plain sum over isochromats."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    exec(compile(code, "reconstruction.md", "exec"), {})


def test_the_page_names_every_choice() -> None:
    named = set(re.findall(r"`([^`\n]+)`", PAGE)) | set(re.findall(r"\b[A-Z]{3,5}\b", PAGE))
    assert set(REPEATS) | set(CONTRASTS) | set(NOT_IMAGING) <= named
    assert all(f'method="{method}"' in PAGE or f"`{method}`" in PAGE for method in METHODS)
