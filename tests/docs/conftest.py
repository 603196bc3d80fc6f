"""The code blocks of all guides and the calls that they and help texts show, one test each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import click
import pytest

from spinloom.cli import root

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "sequences" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""Pages whose calls of `spinloom` need no plugin but the built-in ones, and the tutorials."""
EXAMPLES = sorted((ROOT / "examples").glob("*/README.md"))
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("[!i]*.md"))

FENCE = re.compile(r"^(?P<run><!-- run -->\n)?```(?P<language>[\w-]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"\.\.\.|…|\$")


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block: its page, the line of its fence, its language, its text, and whether it is marked to be run."""

    page: Path
    line: int
    language: str
    text: str
    run: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def code_blocks(page: Path) -> Iterator[CodeBlock]:
    """The fenced blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        yield CodeBlock(page, line, fence["language"], fence["text"], bool(fence["run"]))


@dataclass(frozen=True)
class Call:
    """A call of `spinloom` that a page or a help text prints, as words."""

    place: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: {shlex.join(self.words)}"


def calls_of(page: Path) -> Iterator[Call]:
    """The calls in the shell blocks of a page, fenced or indented."""
    for block in [*code_blocks(page), *indented_blocks(page)]:
        if block.language in ("", "sh"):
            yield from calls_in(block.text, str(block))


def calls_in(text: str, place: str) -> Iterator[Call]:
    """The calls of `spinloom` that leave nothing out."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("spinloom ") and not PLACEHOLDER.search(line):
            yield Call(place, tuple(shlex.split(line, comments=True)[1:]))


def calls_of_help(command: click.Command, name: str) -> Iterator[Call]:
    """The calls that the help of a command shows, in paragraphs that click keeps as they are."""
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.lstrip().startswith("\b"):
            yield from calls_in(dedent(paragraph.lstrip().removeprefix("\b\n")), f"{name} --help")
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inner in command.list_commands(context):
            member = command.get_command(context, inner)
            assert member is not None
            yield from calls_of_help(member, f"{name} {inner}")


def indented_blocks(page: Path) -> Iterator[CodeBlock]:
    """Stretches of lines that are indented by four blanks, outside of fences."""
    text = page.read_text(encoding="utf-8")
    text = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    for stretch in re.finditer(r"(?<=\n\n)(?:    .*\n)+", text):
        yield CodeBlock(page, text.count("\n", 0, stretch.start()) + 1, "", dedent(stretch[0]), False)


@dataclass(frozen=True)
class RunnablePage:
    """A page with blocks that are marked to be run."""

    stem: str
    blocks: tuple[CodeBlock, ...]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each block, command and tutorial its own test."""
    blocks = [block for page in [*PAGES, *EXAMPLES] for block in code_blocks(page)]
    given = {
        "python_block": [block for block in blocks if block.language == "python"],
        "runnable_page": [
            RunnablePage(page.stem, marked)
            for page in PAGES
            if (marked := tuple(block for block in blocks if block.page == page and block.run))
        ],
        "call": [
            *(call for page in PAGES if page not in TUTORIALS for call in calls_of(page)),
            *calls_of_help(root, "spinloom"),
        ],
        "data_block": [block for block in blocks if block.language in ("toml", "yaml")],
        "tutorial": TUTORIALS,
        "linking_page": [*PAGES, *EXAMPLES],
    }
    for name, values in given.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, ids=[getattr(value, "stem", str(value)) for value in values])
