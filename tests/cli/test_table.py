"""Tables for the terminal stay aligned, fit 100 columns and lose no word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spinloom.commands.table import WIDTH, column_table, field_list

WORDS = st.lists(st.text("abcxyz0189", min_size=1, max_size=60), max_size=12).map(" ".join)
ROWS = st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=4)


def _letters(text: str) -> list[str]:
    return sorted("".join(text.split()))


@given(rows=ROWS, note=WORDS)
def test_a_table_fits_and_loses_nothing(rows: list[tuple[str, ...]], note: str) -> None:
    header = ("name", "status", "provides")
    lines = column_table(header, rows, notes=[note] * len(rows))
    assert all(len(line) <= WIDTH for line in lines)
    given_text = " ".join([*header, *(cell for row in rows for cell in row), *([note] * len(rows))])
    assert _letters(" ".join(lines)) == _letters(given_text)


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    lines = column_table(("a", "b"), [("long cell", "x"), ("y", "z")], notes=["", "why"])
    assert lines == ["a          b", "long cell  x", "y          z", "           why"]


def test_values_of_a_list_are_aligned_and_wrapped() -> None:
    lines = field_list([("name", "toy"), ("long label", "word " * 30)])
    assert lines[0] == "name        toy"
    assert lines[1].startswith("long label  word word")
    assert lines[2].startswith("            word")
    assert all(len(line) <= WIDTH for line in lines)
