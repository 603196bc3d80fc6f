"""The report is one whole file that says everything it was given, as text, and fetches nothing."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from spinloom.errors import OutputError
from spinloom.evaluation.report import render, write_report
from spinloom.evaluation.report_content import Code, Facts, Notes, ReportContent, ReportError, Section, Table

EVIL = "<script>alert('\"&')</script>"
PARTS = ("kind", "title", "summary", "highlight", "heading", "caption", "column", "cell", "fact", "note", "code")


def everywhere(text: str) -> ReportContent:
    """A report that shows `text` in every place that takes words."""
    marked = {part: f"{part} {text}" for part in PARTS}
    blocks = (
        Table((marked["column"],), ((marked["cell"],),), marked["caption"]),
        Facts(((marked["fact"], marked["fact"]),)),
        Notes((marked["note"],)),
        Code(marked["code"], marked["code"]),
    )
    highlights = Facts(((marked["highlight"], marked["highlight"]),))
    sections = (Section(marked["heading"], blocks),)
    return ReportContent(marked["title"], (marked["summary"],), sections, highlights, marked["kind"])


class Elements(HTMLParser):
    """The tags and words of a page, as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_markup_in_any_name_is_shown_and_never_obeyed() -> None:
    elements = Elements(render(everywhere(EVIL)))
    assert elements.tags == Elements(render(everywhere("plain"))).tags
    assert "script" not in elements.tags
    for part in PARTS:
        assert f"{part} {EVIL}" in elements.words


def test_nothing_on_the_page_is_fetched() -> None:
    elements = Elements(render(everywhere("plain")))
    links = [value or "" for name, value in elements.attributes if name in ("src", "href", "action", "srcset")]
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "url(" not in render(everywhere("plain"))
    assert "@import" not in render(everywhere("plain"))


def test_numbers_align_to_the_right_and_words_do_not() -> None:
    rows = (("water", "1e-06", "\N{MINUS SIGN}3.5 ppm", ""), ("amide", "100", "31.0 ms", "lorentzian"))
    html = render(ReportContent("t", (), (Section("s", (Table(("Pool", "f", "Time", "Shape"), rows),)),)))
    head = html[html.index("<thead>") : html.index("</thead>")]
    assert head.count('class="number"') == 2
    assert '<th scope="col">Shape</th>' in head


def test_parts_that_are_empty_leave_no_trace() -> None:
    tags = Elements(render(ReportContent("A title", (), ()))).tags
    assert not {"dl", "section", "table", "figure"} & set(tags)


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ReportError, match=r"A row has 1 cells, \('a',\), but the table has the columns \('x', 'y'\)"):
        Table(("x", "y"), (("a",),))


def test_the_page_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(path, everywhere("plain"))
    assert path.read_text(encoding="utf-8") == render(everywhere("plain"))
    assert list(tmp_path.iterdir()) == [path]


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html cannot be written to .*name another place"):
        write_report(tmp_path / "report.html", everywhere("plain"))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_block_of_no_known_type_is_an_error_that_names_it_and_the_known_ones() -> None:
    content = ReportContent("title", (), (Section("section", ("text",)),))  # type: ignore[arg-type]
    with pytest.raises(ReportError, match=r"no block of type str; its blocks are Picture, Table"):
        render(content)
