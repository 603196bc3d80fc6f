"""The report page: `ReportContent` as one HTML file that needs no script and fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatch
from html import escape
from importlib.resources import files
from pathlib import Path

from spinloom.evaluation.embedding import embedded
from spinloom.evaluation.report_content import (
    Block,
    Code,
    Facts,
    Notes,
    Picture,
    ReportContent,
    ReportError,
    Section,
    Table,
)
from spinloom.whole_file import write_whole

_NUMBER = re.compile(r"[+\-\N{MINUS SIGN}]?\d[\d.,]*(e[+-]?\d+)?( ?[^\W\d_%]{0,3}%?)?", re.IGNORECASE)
"""A number with a short unit, which aligns to the right in a table."""


def write_report(path: str | Path, content: ReportContent) -> None:
    """Write `content` as one self-contained page, whole or not at all.

    Raises `ReportError` for a figure that cannot be embedded, `OutputError` where `path` cannot be written.
    """
    write_whole(path, render(content).encode())


def render(content: ReportContent) -> str:
    """The page as HTML text."""
    style = files("spinloom.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    sections = "\n".join(_section(section, f"s{number}") for number, section in enumerate(content.sections, 1))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(content.title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">{escape(content.kind)}</p>
<h1>{escape(content.title)}</h1>
{_paragraphs(content.summary)}
{_definitions(content.highlights, "highlights")}
</header>
<main>
{sections}
</main>
</body>
</html>
"""


def _section(section: Section, prefix: str) -> str:
    blocks = "\n".join(_html(block, f"{prefix}f{number}") for number, block in enumerate(section.blocks, 1))
    return f'<section aria-labelledby="{prefix}">\n<h2 id="{prefix}">{escape(section.title)}</h2>\n{blocks}\n</section>'


@singledispatch
def _html(block: Block, prefix: str) -> str:
    raise ReportError(
        f"A report has no block of type {type(block).__name__}; its blocks are Picture, Table, Facts, Notes and Code."
    )


@_html.register
def _(block: Picture, prefix: str) -> str:
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    return f"<figure>\n{embedded(block, prefix)}\n{caption}\n</figure>"


@_html.register
def _(block: Table, prefix: str) -> str:
    caption = f'<p class="caption">{escape(block.caption)}</p>\n' if block.caption else ""
    numeric = [all(_NUMBER.fullmatch(row[column]) for row in block.rows if row[column]) for column in _columns(block)]
    head = "".join(
        f'<th scope="col"{_number_class(is_number)}>{escape(name)}</th>'
        for name, is_number in zip(block.columns, numeric, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(_cells(row, numeric))}</tr>" for row in block.rows)
    label = escape(block.caption or "Table")
    return (
        f'{caption}<div class="scroll" role="region" tabindex="0" aria-label="{label}">\n<table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


@_html.register
def _(block: Facts, prefix: str) -> str:
    return _definitions(block, "facts")


@_html.register
def _(block: Notes, prefix: str) -> str:
    items = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in block.sentences)
    return f"<ul>\n{items}\n</ul>"


@_html.register
def _(block: Code, prefix: str) -> str:
    return (
        f"<details>\n<summary>{escape(block.title)}</summary>\n<pre><code>{escape(block.text)}</code></pre>\n</details>"
    )


def _columns(table: Table) -> range:
    return range(len(table.columns))


def _cells(row: tuple[str, ...], numeric: list[bool]) -> Iterator[str]:
    for position, (cell, is_number) in enumerate(zip(row, numeric, strict=True)):
        name = 'th scope="row"' if position == 0 else "td"
        yield f"<{name}{_number_class(is_number)}>{escape(cell)}</{name.split()[0]}>"


def _number_class(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _definitions(facts: Facts, kind: str) -> str:
    if not facts.items:
        return ""
    items = "\n".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items)
    return f'<dl class="{kind}">\n{items}\n</dl>'


def _paragraphs(sentences: tuple[str, ...]) -> str:
    return f'<p class="summary">{escape(" ".join(sentences))}</p>' if sentences else ""
