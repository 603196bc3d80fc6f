"""The text of a `.seq` file as sections of numbered rows, before anyone interprets a number."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spinloom.errors import SequenceError

OLDEST, NEWEST = (1, 2), (1, 5)
"""First and last minor version of the format that is read."""


class Row(NamedTuple):
    """A line that holds something: its number in the file, counted from 1, and its text without blanks around."""

    number: int
    text: str

    @property
    def words(self) -> list[str]:
        """What the line holds, split at blanks."""
        return self.text.split()


@dataclass(frozen=True)
class Section:
    """A header such as `[RF]` or `extension LABELSET 2`, the number of its line, and its rows."""

    header: str
    number: int
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SequenceText:
    """A `.seq` file as sections of rows.

    version: major, minor, revision
    sections: in the file's order, no header twice
    source, sha256: the file and the hash of its bytes
    """

    version: tuple[int, int, int]
    sections: tuple[Section, ...]
    source: str
    sha256: str

    def rows(self, header: str) -> tuple[Row, ...]:
        """The rows of a section; none where the file has no such section."""
        return next((section.rows for section in self.sections if section.header == header), ())


def read_text(path: Path) -> SequenceText:
    """Split the file at `path` into sections; raise `SequenceError` where it is no Pulseq file of a known version."""
    return parse_text(_read_bytes(path), str(path))


def parse_text(content: bytes, source: str) -> SequenceText:
    """Split what a `.seq` file holds into sections, as `read_text` does; messages call the file `source`."""
    sections = _split(_decode(content, source), source)
    text = SequenceText(_version(sections, source), sections, source, hashlib.sha256(content).hexdigest())
    if not text.rows("[BLOCKS]"):
        raise SequenceError(f"{source} has no [BLOCKS], so it plays nothing; is it a whole Pulseq file?")
    return text


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise SequenceError(f"{path} is a folder; name the .seq file in it.")
        if path.exists() and not path.is_file():
            raise SequenceError(f"{path} is a device or a pipe; save the sequence to a file first.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise SequenceError(f"There is no sequence file {path}; check the path.") from None
    except (OSError, ValueError) as error:
        raise SequenceError(f"The sequence file {str(path)!r} cannot be read ({error}); check its rights.") from None
    if not content.strip():
        raise SequenceError(f"{path} is empty; write the sequence again.")
    return content


def _decode(content: bytes, source: str) -> str:
    if b"\0" in content:
        raise SequenceError(f"{source} is a binary file; a Pulseq file is text that begins with its [VERSION].")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SequenceError(
            f"{source}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 or ASCII."
        ) from None


def _split(text: str, source: str) -> tuple[Section, ...]:
    """Sections in the file's order; comments and blank lines are dropped, Windows and old Mac line ends are known."""
    sections: dict[str, tuple[int, list[Row]]] = {}
    rows: list[Row] | None = None
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("[") or stripped.split()[0] == "extension":
            header = " ".join(stripped.split())
            if header in sections:
                raise SequenceError(
                    f"{source}, line {number}: {header[:60]} begins a second time, after line {sections[header][0]}; "
                    "a section stands in a file once."
                )
            rows = []
            sections[header] = number, rows
        elif rows is None:
            raise SequenceError(
                f"{source}, line {number}: '{stripped[:60]}' stands before any section; a Pulseq file begins "
                "with comments and [VERSION]."
            )
        else:
            rows.append(Row(number, stripped))
    return tuple(Section(header, number, tuple(rows)) for header, (number, rows) in sections.items())


def _version(sections: tuple[Section, ...], source: str) -> tuple[int, int, int]:
    rows = next((section.rows for section in sections if section.header == "[VERSION]"), None)
    if rows is None:
        raise SequenceError(f"{source} has no [VERSION] section, so its numbers have no meaning; is it a Pulseq file?")
    parts = {row.words[0]: row.words[1] for row in rows if len(row.words) == 2}
    digits = [_leading_digits(parts.get(part, "")) for part in ("major", "minor", "revision")]
    if not all(digits):
        raise SequenceError(f"{source}: [VERSION] must give major, minor and revision as numbers, not {parts}.")
    major, minor, revision = (int(part) for part in digits)
    if not OLDEST <= (major, minor) <= NEWEST:
        raise SequenceError(
            f"{source} is of Pulseq version {major}.{minor}.{revision}; versions "
            f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} are read. Write it again in one of these."
        )
    return major, minor, revision


def _leading_digits(word: str) -> str:
    """The number at the front of a word such as `1post1`, at most four digits of it."""
    return word[: len(word) - len(word.lstrip("0123456789"))][:4]
