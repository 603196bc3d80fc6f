"""The directive `commands`: every command of `spinloom` as click knows it, a section each, in the order of its help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from spinloom.cli import root


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}


class Commands(SphinxDirective):
    """Takes neither arguments nor content."""

    def run(self) -> list[nodes.Node]:
        """The sections, written as Markdown and parsed where the directive stands."""
        context = click.Context(root, info_name="spinloom")
        text = "\n".join(_commands(root, context, 0))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _commands(group: click.Group, context: click.Context, level: int) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            inner = click.Context(command, info_name=name, parent=context)
            yield from _section(command, inner, level)
            if isinstance(command, click.Group):
                yield from _commands(command, inner, level + 1)


def _section(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    """Heading, usage, help and options of one command."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from (f"{'#' * (level + 2)} {context.command_path}", "", "```text", usage, "```", "")
    for paragraph in (command.help or "").split("\n\n"):
        yield from _paragraph(paragraph)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1] and not parameter.is_eager:
            yield from (f"- `{record[0]}`: {_escaped(record[1])}",)
    yield ""


def _paragraph(text: str) -> Iterator[str]:
    """Running text, or lines to be kept, which click marks by a backspace character."""
    if text.lstrip().startswith("\b"):
        yield from ("```sh", dedent(text.lstrip().removeprefix("\b").strip("\n")), "```", "")
    else:
        yield from (*(_escaped(line.strip()) for line in text.splitlines()), "")


def _escaped(text: str) -> str:
    """Text with what Markdown would take for its own as it is, except for code."""
    return re.sub(r"([*_<\[])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", text)
