"""Commands in guides and help texts can be typed: click takes the options, Hydra composes the keys, nothing runs."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import pytest

from spinloom import configuration, sequence_families
from spinloom.cli import COMMANDS, root
from spinloom.sequence.expression import parse_expression
from spinloom.sequence.read import sequence_names
from spinloom.tissue.files import tissue_path
from spinloom.tissue.phantoms.door import default_settings, phantom_names

run_task = configuration.run_task


def test_what_guides_and_help_show_can_be_typed(call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lay_out_files(call.words)
    composed: list[dict[str, Any]] = []

    def compose(task: str, function: object, arguments: list[str], open_sweep: object) -> None:
        run_task(task, composed.append, arguments, lambda config: nullcontext())

    monkeypatch.setattr(configuration, "run_task", compose)
    context, leaf = taken_apart(list(call.words))
    if "overrides" in context.params:
        leaf.invoke(context)
        assert composed or "--cfg" in call.words
        for config in composed:
            check_sequence(config.get("sequence"))
    if leaf.name in ("show", "make") and context.parent is not None and context.parent.info_name == "phantom":
        check_phantom(context.params["phantom"], context.params["options"])


def test_commands_within_the_text_of_a_guide_are_there(linking_page: Path) -> None:
    named = re.findall(r"`spinloom ([a-z]+)", linking_page.read_text(encoding="utf-8"))
    assert set(named) <= set(COMMANDS)


def taken_apart(words: list[str]) -> tuple[click.Context, click.Command]:
    """The command that `words` call, with its parameters checked by click."""
    context: click.Context = root.make_context("spinloom", words)
    leaf: click.Command = root
    while isinstance(leaf, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, command, rest = leaf.resolve_command(context, rest)
        assert command is not None
        context, leaf = command.make_context(name, rest, parent=context), command
    return context, leaf


def lay_out_files(words: tuple[str, ...]) -> None:
    """Files that the command reads while it composes: tissues and phantoms given by their paths."""
    for word in words:
        key, _, value = word.partition("=")
        if key == "tissue" and value.endswith(".yaml"):
            Path(value).write_text(tissue_path("wm_3t_7pool").read_text(encoding="utf-8"), encoding="utf-8")
        if key == "phantom" and value.endswith(".zarr"):
            Path(value).mkdir()


def check_sequence(sequence: str | None) -> None:
    """A sequence is a path, a shipped name, or a family with parameters that it has."""
    expression = parse_expression(sequence) if sequence else None
    if expression is not None:
        name, parameters = expression
        sequence_families()[name].complete(parameters)
    elif sequence is not None and not sequence.endswith(".seq"):
        assert sequence in sequence_names()


def check_phantom(name: str, options: tuple[str, ...]) -> None:
    if name in phantom_names():
        assert {option.partition("=")[0] for option in options} <= set(default_settings(name))
