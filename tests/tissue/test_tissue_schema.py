"""The page about the schema says what the schema says."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinloom.tissue import schema
from spinloom.tissue.files import tissue_names
from spinloom.tissue.pools import LINESHAPES
from spinloom.tissue.schema import Bound, Key

PAGE = (Path(__file__).parents[2] / "docs" / "tissue.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("|")]


def rows(key: str) -> list[list[str]]:
    return [row[2:] for row in ROWS if len(row) == 6 and row[1] == f"`{key}`"]


@pytest.mark.parametrize(
    "key",
    [*schema.SCANNER_KEYS, *schema.WATER_KEYS, *schema.POOL_KEYS, *schema.EXCHANGE_KEYS],
    ids=lambda key: f"{key.name} {key.meaning}",
)
def test_the_page_gives_alias_meaning_bound_and_default_of_every_number(key: Key) -> None:
    alias = f"`{key.alias}`" if key.alias else ""
    default = "required" if key.default is None else str(key.default)
    assert [alias, key.meaning, key.bound.value, default] in rows(key.name)


def test_the_page_lists_no_key_that_the_schema_lacks() -> None:
    numbers = {key.name for key in (*schema.SCANNER_KEYS, *schema.WATER_KEYS, *schema.POOL_KEYS)}
    known = numbers | {*schema.SECTIONS, *schema.SETTINGS, schema.LINESHAPE, schema.COMPONENTS}
    known |= {schema.T2STAR.name, schema.ISOCHROMATS}
    assert {row[1].strip("`") for row in ROWS if len(row) == 6} - {"key", "---"} == known


def test_the_page_gives_the_defaults_of_the_settings_and_all_lineshapes() -> None:
    assert rows(schema.RESET)[0][-1] == str(schema.RESET_DEFAULT).lower()
    assert rows(schema.VERBOSE)[0][-1] == str(schema.VERBOSE_DEFAULT).lower()
    assert rows(schema.MAX_SAMPLES)[0][-1] == str(schema.MAX_SAMPLES_DEFAULT)
    assert rows(schema.COMPONENTS)[0][-1] == str(schema.COMPONENTS_DEFAULT)
    assert rows(schema.ISOCHROMATS)[0][-1] == str(schema.ISOCHROMATS_DEFAULT)
    assert all(f"`{name}`" in rows(schema.LINESHAPE)[0][1].lower() for name in LINESHAPES)


def test_the_page_lists_every_shipped_tissue() -> None:
    assert [row[0].strip("`") for row in ROWS if len(row) == 3][2:] == tissue_names()


def test_bounds_hold_what_they_say() -> None:
    held = {
        bound: [value for value in (-1.0, 0.0, 1.0, float("inf"), float("nan")) if bound.holds(value)]
        for bound in Bound
    }
    assert held == {Bound.FINITE: [-1, 0, 1], Bound.NOT_NEGATIVE: [0, 1], Bound.POSITIVE: [1]}
