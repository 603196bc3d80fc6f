"""The [SHAPES] section: `shape_id`, `num_samples` (before 1.4 also `Num_Uncompressed`) and a column of numbers.

pypulseq would decode these too, but expands every run to try it, and fails on old files whose compressed shapes
hold as many numbers as samples by chance; so they are read here, and every shape of the file is tried, used or not,
because a truncated file most often ends inside this section.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.shape import Shape, decode
from spinloom.sequence.tables import number_complaint, whole_complaint
from spinloom.sequence.text import Row, SequenceText

_HEADERS = (("shape_id",), ("num_samples", "num_uncompressed"))


def read_shapes(text: SequenceText) -> dict[int, Shape]:
    """The shapes of a file by their ids; raise `SequenceError` naming the line of one that does not decode."""
    shapes: dict[int, Shape] = {}
    for rows in _entries(text.rows("[SHAPES]")):
        key = _header(rows, 0, text.source)
        size = _header(rows, 1, text.source)
        where = f"{text.source}, line {rows[0].number}: shape {key}"
        if key in shapes:
            raise SequenceError(f"{where} is defined a second time; give each its own id.")
        numbers = np.array([_number(row, text.source) for row in rows[2:]])
        shapes[key] = decode(numbers, size, where, may_be_plain=text.version >= (1, 4, 0))
    return shapes


def _entries(rows: tuple[Row, ...]) -> Iterator[tuple[Row, ...]]:
    """The rows of each shape, its two header lines among them."""
    starts = [index for index, row in enumerate(rows) if row.text[:8].lower() == "shape_id"]
    if rows and 0 not in starts:
        starts.insert(0, 0)
    for start, end in pairwise([*starts, len(rows)]):
        yield rows[start:end]


def _header(rows: tuple[Row, ...], index: int, source: str) -> int:
    """The number of the first or second header line of a shape."""
    if index >= len(rows):
        raise SequenceError(f"{source}, line {rows[-1].number}, in [SHAPES]: the last shape is cut off; the file ends.")
    row, words = rows[index], rows[index].words
    if len(words) != 2 or words[0].lower() not in _HEADERS[index] or whole_complaint(words[1]):
        raise SequenceError(
            f"{source}, line {row.number}, in [SHAPES]: '{_HEADERS[index][0]} NUMBER' expected, "
            f"'{row.text[:60]}' found."
        )
    return int(words[1])


def _number(row: Row, source: str) -> float:
    complaint = number_complaint(row.text)
    if complaint:
        raise SequenceError(f"{source}, line {row.number}, in [SHAPES]: '{row.text[:40]}' {complaint}.")
    return float(row.text)
