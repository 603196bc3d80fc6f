"""What a report says, as plain immutable data: a title, a summary, and sections made of blocks.

Any task composes one from text, tables and the bytes of figures; `spinloom.evaluation.report` makes one HTML file of it
that needs no script and fetches nothing.  All text is plain text: the page escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from spinloom.errors import SpinloomError


class ReportError(SpinloomError):
    """Content that a report cannot show."""


@dataclass(frozen=True)
class Picture:
    """A figure from any room.

    image: an SVG, which the page takes in as it is, or a PNG
    caption: what to see in it
    alternative: what it shows, for those who cannot see it
    """

    image: bytes
    caption: str
    alternative: str


@dataclass(frozen=True)
class Table:
    """Rows of text, each as long as `columns`; the first cell names its row, and numbers align to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ReportError(f"A row has {len(row)} cells, {row}, but the table has the columns {self.columns}.")


@dataclass(frozen=True)
class Facts:
    """Names with their values, in order."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Notes:
    """Sentences, each a point of its own."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Long text to be kept as typed, such as a configuration, folded under its title."""

    title: str
    text: str


Block = Picture | Table | Facts | Notes | Code
"""What a section of a report holds."""


@dataclass(frozen=True)
class Section:
    """A part of the report under its own heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class ReportContent:
    """A whole report.

    title: what was done, in a line
    summary: sentences that a hurried reader reads
    highlights: the few numbers to remember, each with its name and unit
    sections: the rest, in order
    kind: what sort of report it is, in small type above the title
    """

    title: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    highlights: Facts = Facts(())
    kind: str = "Spinloom report"
