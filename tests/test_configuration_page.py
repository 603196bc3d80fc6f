"""The page on configuration says what there is: experiments, ranges, keys of the task."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from spinloom.tissue import variation

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """Code in the first cells of the table whose first column is `heading`."""
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [name for row in table for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_every_experiment_has_its_row() -> None:
    assert first_cells("experiment") == sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


def test_every_kind_of_range_has_its_row_with_its_arguments() -> None:
    usages = [usage for usage, _ in variation._FUNCTIONS.values()]
    assert first_cells("written")[: len(usages)] == usages


def test_every_key_of_the_task_has_its_row() -> None:
    task = yaml.safe_load((ROOT / "conf" / "simulate.yaml").read_text(encoding="utf-8"))
    groups = [name for entry in task.pop("defaults") if isinstance(entry, dict) for name in entry if " " not in name]
    assert sorted(first_cells("key")) == sorted({*groups, *task} - {"hydra"})
