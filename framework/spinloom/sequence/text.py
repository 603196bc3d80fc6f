"""The text of a `.seq` file, split into sections and checked line by line before anyone parses it.

pypulseq reads a well-formed file; on a damaged one it may raise without naming the line, or read the end of a
truncated file for ever.  Here every row is counted and every number tried, so that an error can name its line,
and the text is laid out anew (no comments, one blank line after each section) for pypulseq to read.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from spinloom.errors import SequenceError

OLDEST, NEWEST = (1, 2), (1, 5)
"""First and last minor version of the format that is read."""

EXTENSIONS = ("TRIGGERS", "LABELSET", "LABELINC", "DELAYS")
"""Extensions that a timeline holds; another one in a file is refused by name."""

_TABLES = ("[BLOCKS]", "[RF]", "[GRADIENTS]", "[TRAP]", "[ADC]", "[DELAYS]", "[EXTENSIONS]")
_WORD_COLUMNS = {"extension LABELSET": 2, "extension LABELINC": 2, "extension DELAYS": 4}


@dataclass(frozen=True)
class Row:
    """A line that holds something: its number in the file, counted from 1, and its words."""

    number: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class SequenceText:
    """A `.seq` file as sections of rows, in the file's order.

    version: major, minor, revision
    sections: header such as `[RF]` or `extension LABELSET 2`, with its rows
    source, sha256: the file and the hash of its bytes
    """

    version: tuple[int, int, int]
    sections: tuple[tuple[str, tuple[Row, ...]], ...]
    source: str
    sha256: str

    def layout(self) -> str:
        """The text as pypulseq reads it: version and definitions first, blank lines only between sections."""
        version = "[VERSION]\nmajor {}\nminor {}\nrevision {}\n".format(*self.version)
        ordered = sorted(self.sections, key=lambda section: section[0] != "[DEFINITIONS]")
        return "\n".join([version, *(_lay_out(header, rows) for header, rows in ordered)]) + "\n\n"


def read_text(path: Path) -> SequenceText:
    """Read and check the file at `path`; raise `SequenceError` naming the line that is wrong."""
    content = _read_bytes(path)
    sections = _split(_decode(content, path), path)
    version = _version(sections, path)
    if not any(header == "[BLOCKS]" and rows for header, rows in sections):
        raise SequenceError(f"{path} has no [BLOCKS], so it plays nothing; is it a whole Pulseq file?")
    for header, rows in sections:
        _check(header, rows, version, path)
    kept = tuple(section for section in sections if section[0] not in ("[VERSION]", "[SIGNATURE]"))
    return SequenceText(version, kept, str(path), hashlib.sha256(content).hexdigest())


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SequenceError(f"There is no sequence file {path}; check the path.") from None
    except IsADirectoryError:
        raise SequenceError(f"{path} is a folder; name the .seq file in it.") from None
    except OSError as error:
        raise SequenceError(f"{path} cannot be read: {error.strerror}.") from error
    if not content.strip():
        raise SequenceError(f"{path} is empty; write the sequence again.")
    return content


def _decode(content: bytes, path: Path) -> str:
    if b"\0" in content:
        raise SequenceError(f"{path} is a binary file; a Pulseq file is text that begins with its [VERSION].")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SequenceError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 or ASCII."
        ) from None


def _split(text: str, path: Path) -> list[tuple[str, tuple[Row, ...]]]:
    sections: list[tuple[str, list[Row]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = tuple(line.split())
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith("[") or words[0] == "extension":
            sections.append((" ".join(words), []))
        elif not sections:
            raise SequenceError(
                f"{path}, line {number}: '{line.strip()[:60]}' stands before any section; a Pulseq file begins "
                "with comments and [VERSION]."
            )
        else:
            sections[-1][1].append(Row(number, words))
    return [(header, tuple(rows)) for header, rows in sections]


def _version(sections: list[tuple[str, tuple[Row, ...]]], path: Path) -> tuple[int, int, int]:
    rows = next((rows for header, rows in sections if header == "[VERSION]"), None)
    if rows is None:
        raise SequenceError(f"{path} has no [VERSION] section, so its numbers have no meaning; is it a Pulseq file?")
    parts = {row.words[0]: row.words[1] for row in rows if len(row.words) == 2}
    digits = [_leading_digits(parts.get(part, "")) for part in ("major", "minor", "revision")]
    if any(part == "" for part in digits):
        raise SequenceError(f"{path}: [VERSION] must give major, minor and revision as numbers, not {parts}.")
    major, minor, revision = (int(part) for part in digits)
    if not OLDEST <= (major, minor) <= NEWEST:
        raise SequenceError(
            f"{path} is of Pulseq version {major}.{minor}.{revision}; versions "
            f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} are read. Write it again in one of these."
        )
    return major, minor, revision


def _leading_digits(text: str) -> str:
    """The number at the front of a word such as `1post1`, at most four digits of it."""
    return text[: len(text) - len(text.lstrip("0123456789"))][:4]


def _columns(header: str, version: tuple[int, int, int]) -> int | None:
    """Number of columns of a table in this version of the format."""
    modern, latest = version >= (1, 4, 0), version >= (1, 5, 0)
    return {
        "[BLOCKS]": 7 if version <= (1, 2, 1) else 8,
        "[RF]": 12 if latest else 8 if modern else 7,
        "[GRADIENTS]": 7 if latest else 5 if modern else 4,
        "[TRAP]": 6,
        "[ADC]": 9 if latest else 6,
        "[DELAYS]": None if modern else 2,
        "[EXTENSIONS]": 4,
        "extension TRIGGERS": 5,
        "extension LABELSET": 3,
        "extension LABELINC": 3,
        "extension DELAYS": 5,
    }.get(header)


def _check(header: str, rows: tuple[Row, ...], version: tuple[int, int, int], path: Path) -> None:
    if header in ("[VERSION]", "[DEFINITIONS]", "[SIGNATURE]"):
        return
    if header == "[SHAPES]":
        return _check_shapes(rows, path)
    name = header
    if header.startswith("extension"):
        words = header.split()
        if len(words) != 3 or words[1] not in EXTENSIONS or not words[2].isdigit():
            raise SequenceError(
                f"{path} uses '{header}'; of Pulseq's extensions {', '.join(EXTENSIONS)} are played. "
                "Write the sequence without it."
            )
        name = f"extension {words[1]}"
    columns = _columns(name, version)
    if columns is None:
        known = ", ".join(("[VERSION]", "[DEFINITIONS]", *_TABLES, "[SHAPES]", "[SIGNATURE]"))
        raise SequenceError(
            f"{path} has a section {header[:60]} that Pulseq {version[0]}.{version[1]} does not define; known: {known}."
        )
    word_column = 11 if name == "[RF]" and columns == 12 else _WORD_COLUMNS.get(name)
    whole = name in ("[BLOCKS]", "[EXTENSIONS]")
    for row in rows:
        _check_row(row, columns, word_column, whole, name, path)


def _check_row(row: Row, columns: int, word_column: int | None, whole: bool, name: str, path: Path) -> None:
    if len(row.words) != columns:
        raise SequenceError(
            f"{path}, line {row.number}, in {name}: {columns} columns expected, {len(row.words)} found: "
            f"'{' '.join(row.words)[:80]}'. The file is truncated or damaged."
        )
    for column, word in enumerate(row.words):
        if column == word_column:
            continue
        if column == 0 or whole:
            if not (word.isascii() and word.isdigit() and len(word) < 10):
                raise SequenceError(f"{path}, line {row.number}, in {name}: '{word[:40]}' is no whole number from 0.")
        else:
            _number(word, row, name, path)


def _number(word: str, row: Row, name: str, path: Path) -> float:
    try:
        value = float(word)
    except ValueError:
        raise SequenceError(f"{path}, line {row.number}, in {name}: '{word[:40]}' is no number.") from None
    if not math.isfinite(value):
        raise SequenceError(f"{path}, line {row.number}, in {name}: {word[:40]} is not finite; every number must be.")
    return value


def _check_shapes(rows: tuple[Row, ...], path: Path) -> None:
    """Shapes come as `shape_id`, `num_samples` (or `Num_Uncompressed`) and a column of numbers."""
    expected = "shape_id"
    for row in rows:
        keyword = row.words[0].lower()
        if expected == "number":
            expected = "shape_id" if keyword == "shape_id" else "number"
            if expected == "number":
                if len(row.words) != 1:
                    raise SequenceError(f"{path}, line {row.number}, in [SHAPES]: one number a line expected.")
                _number(row.words[0], row, "[SHAPES]", path)
                continue
        allowed = {"shape_id"} if expected == "shape_id" else {"num_samples", "num_uncompressed"}
        if keyword not in allowed or len(row.words) != 2 or not _is_count(row.words[1]):
            raise SequenceError(
                f"{path}, line {row.number}, in [SHAPES]: '{expected} NUMBER' expected, "
                f"'{' '.join(row.words)[:60]}' found."
            )
        expected = "num_samples" if expected == "shape_id" else "number"
    if expected == "num_samples":
        raise SequenceError(f"{path}: the last shape has no samples; the file is truncated.")


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 16


def _lay_out(header: str, rows: tuple[Row, ...]) -> str:
    if header != "[SHAPES]":
        return "\n".join([header, *(" ".join(row.words) for row in rows), ""])
    lines = [header]
    for row in rows:
        if row.words[0].lower() == "shape_id":
            lines.append("")
        lines.append(" ".join(row.words))
    return "\n".join([*lines, ""])
