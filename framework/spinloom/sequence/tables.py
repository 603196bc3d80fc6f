"""The tables of a `.seq` file: what each column holds in each version of the format, checked row by row.

pypulseq reads a well-formed table; in a damaged one it may raise without naming the line, cut a number to an integer,
or let the second of two equal ids win.  Nothing that passes here can do so.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from spinloom.errors import SequenceError
from spinloom.sequence.text import Row, Section, SequenceText

EXTENSIONS = {
    "TRIGGERS": "#wwtt",
    "LABELSET": "#zn",
    "LABELINC": "#zn",
    "DELAYS": "#wffn",
    "ROTATIONS": "#ffff",
    "RF_SHIMS": "#w*",
}
"""Extensions that a timeline holds, and their columns; another one in a file is refused by name."""

LARGEST = 1e15
"""No quantity of a sequence is larger than this in its unit; within it, products and squares stay finite."""

_PLAIN = ("[VERSION]", "[DEFINITIONS]", "[SHAPES]", "[SIGNATURE]")

_COLUMNS: dict[str, tuple[tuple[tuple[int, int, int], str], ...]] = {
    "[BLOCKS]": (((1, 2, 2), "#wwwwwww"), ((1, 2, 0), "#wwwwww")),
    "[RF]": (((1, 5, 0), "#fwwwttffffu"), ((1, 4, 0), "#fwwwtff"), ((1, 2, 0), "#fwwtff")),
    "[GRADIENTS]": (((1, 5, 0), "#fffwzt"), ((1, 4, 0), "#fwzt"), ((1, 2, 0), "#fwt")),
    "[TRAP]": (((1, 2, 0), "#ftttt"),),
    "[ADC]": (((1, 5, 0), "#wttffffw"), ((1, 2, 0), "#wttff")),
    "[DELAYS]": (((1, 4, 0), ""), ((1, 2, 0), "#t")),
    "[EXTENSIONS]": (((1, 2, 0), "#www"),),
}
"""Columns of each table, newest version first: one letter a column, explained in `_CHECKS`."""


def check_tables(text: SequenceText) -> None:
    """Raise `SequenceError` naming the line where a table of `text` is not what its version defines."""
    for section in text.sections:
        columns = _columns(section, text)
        for row in section.rows if columns else ():
            _check_row(row, columns, section.header, text.source)
        if columns:
            _refuse_repeated_ids(section.rows, section.header, text.source)
    _refuse_repeated_ids((*text.rows("[GRADIENTS]"), *text.rows("[TRAP]")), "[GRADIENTS] and [TRAP]", text.source)


def _columns(section: Section, text: SequenceText) -> str:
    """The columns of a section's table; none where the section is no table."""
    words = section.header.split()
    if section.header in _PLAIN:
        return ""
    if words[0] == "extension":
        if len(words) != 3 or words[1] not in EXTENSIONS or whole_complaint(words[2]):
            raise SequenceError(
                f"{text.source}, line {section.number}: the file uses '{section.header[:60]}'; of Pulseq's extensions "
                f"{', '.join(EXTENSIONS)} are played. Write the sequence without it."
            )
        return EXTENSIONS[words[1]]
    versions = _COLUMNS.get(section.header, ())
    columns = next((columns for since, columns in versions if text.version >= since), "")
    if not columns:
        raise SequenceError(
            f"{text.source}, line {section.number}: there is no section {section.header[:60]} in Pulseq "
            f"{text.version[0]}.{text.version[1]}; known: {', '.join((*_PLAIN, *_COLUMNS))}."
        )
    return columns


def _check_row(row: Row, columns: str, header: str, source: str) -> None:
    words = row.words
    expected = _column_count(words, columns)
    if len(words) != expected:
        raise SequenceError(
            f"{source}, line {row.number}, in {header}: {expected} columns expected, {len(words)} found: "
            f"'{row.text[:80]}'. The file is truncated or damaged."
        )
    for word, column in zip(words, columns.replace("*", "f" * (expected - len(columns) + 1)), strict=True):
        complaint = _CHECKS[column](word)
        if complaint:
            raise SequenceError(f"{source}, line {row.number}, in {header}: '{word[:40]}' {complaint}.")


def _column_count(words: list[str], columns: str) -> int:
    """How many columns a row has; a final `*` stands for as many pairs of numbers as the word before it says."""
    if not columns.endswith("*"):
        return len(columns)
    fixed = len(columns) - 1
    counted = words[fixed - 1] if len(words) >= fixed else "0"
    return fixed + (0 if whole_complaint(counted) else 2 * int(counted))


def _refuse_repeated_ids(rows: tuple[Row, ...], header: str, source: str) -> None:
    lines: dict[str, int] = {}
    for row in rows:
        key = row.words[0]
        if key in lines:
            raise SequenceError(
                f"{source}, line {row.number}, in {header}: the id {key} is already that of line {lines[key]}; "
                "give each its own."
            )
        lines[key] = row.number


def number_complaint(word: str) -> str:
    """What is wrong with a word that ought to be a number of the format; empty where nothing is."""
    try:
        value = float(word) if word.isascii() and "_" not in word else None
    except ValueError:
        value = None
    if value is None:
        return "is no number"
    if not math.isfinite(value):
        return "is not finite; every number must be"
    return f"is larger than any quantity of a sequence ({LARGEST:g})" if abs(value) > LARGEST else ""


def whole_complaint(word: str) -> str:
    """What is wrong with a word that ought to be a whole number from 0."""
    return "" if word.isascii() and word.isdigit() and len(word) <= 15 else "is no whole number from 0 to 10^15"


def _id_complaint(word: str) -> str:
    whole = whole_complaint(word)
    return whole or ("is no id; ids begin at 1 without leading zeros" if word.startswith("0") else "")


def _time_complaint(word: str) -> str:
    return number_complaint(word) or ("is a negative time" if float(word) < 0 else "")


def _use_complaint(word: str) -> str:
    return "" if word in tuple("erispou") else "is no use of an RF pulse; known: e, r, i, s, p, o and u"


_CHECKS: dict[str, Callable[[str], str]] = {
    "#": _id_complaint,
    "w": whole_complaint,
    "z": lambda word: whole_complaint(word.removeprefix("-")),
    "f": number_complaint,
    "t": _time_complaint,
    "u": _use_complaint,
    "n": lambda word: "",
}
"""id, whole number, whole number of either sign, number, time, use of an RF pulse, name."""
