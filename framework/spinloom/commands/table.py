"""Plain tables for the terminal, at most 100 columns wide: cells wrap, and columns stay aligned."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest

WIDTH = 100
_GAP = "  "


def column_table(header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> list[str]:
    """Lines of a table; each row's note, where there is one, stands indented beneath it."""
    widths = _widths([header, *rows])
    lines = _row(header, widths)
    for row, note in zip(rows, notes, strict=True):
        lines += _row(row, widths)
        indent = " " * (widths[0] + len(_GAP))
        lines += textwrap.wrap(note, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return lines


def field_list(fields: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of labels and their values, the values aligned."""
    indent = " " * (max(len(label) for label, _ in fields) + len(_GAP))
    lines = []
    for label, value in fields:
        wrapped = textwrap.wrap(value, WIDTH, initial_indent=indent, subsequent_indent=indent)
        lines += [label + wrapped[0][len(label) :], *wrapped[1:]]
    return lines


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Width of each column: of its longest cell, the widest columns cut until the row fits."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > WIDTH:
        widths[widths.index(max(widths))] -= 1
    return widths


def _row(cells: Iterable[str], widths: Sequence[int]) -> list[str]:
    """Lines of a row, its cells wrapped to the columns."""
    wrapped = [textwrap.wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip_longest(*wrapped, fillvalue="")
    ]
