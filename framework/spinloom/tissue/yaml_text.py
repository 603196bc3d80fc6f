"""Strict reading of YAML text: plain mappings, lists and text, or an error that names the line.

Scalars stay text, because YAML 1.1 guesses types wrongly for numbers such as `62e-3`, `1:30` and `010`.
Refused: a key that stands twice (PyYAML would keep the last), anchors and aliases (a small file could unfold into a
huge one), tags (they name types to build), and files that no pool model comes near in size or depth.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from spinloom.errors import TissueError
from spinloom.tissue.numbers import shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 10


def read_yaml(path: Path, source: str) -> dict[str, Any]:
    """The mapping that the YAML file at `path` holds: mappings, lists, text, and None where nothing stands.

    source: what to call the file in an error
    """
    text = _decoded(_bytes(path, source), source)
    try:
        content = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise TissueError(_explained(error, text, source)) from error
    except (ValueError, ArithmeticError) as error:
        raise TissueError(
            f"{source} is not YAML: an escape or a %YAML directive holds an impossible number; correct or remove it."
        ) from error
    if not isinstance(content, dict):
        holds = "is empty" if content is None else f"holds {shown(content)}"
        raise TissueError(
            f"{source} {holds}, but must hold keys with values such as 'b0: 3' and 'water_pool: {{...}}'."
        )
    return content


def _bytes(path: Path, source: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TissueError(f"{source} cannot be read: {error.strerror}. Check the path and its permissions.") from error
    if len(content) > MAX_BYTES:
        raise TissueError(
            f"{source} is larger than {MAX_BYTES:,} bytes, which no pool model is; give larger batches from Python."
        )
    return content


def _decoded(content: bytes, source: str) -> str:
    if b"\0" in content:
        raise TissueError(f"{source} holds a NUL byte, so it is binary or UTF-16; a pool model is YAML in UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TissueError(
            f"{source}, line {line}, holds the byte 0x{content[error.start]:02x}, which is not UTF-8; "
            "save the file as UTF-8, or replace the character."
        ) from error


def _explained(error: yaml.YAMLError, text: str, source: str) -> str:
    """Where and why the text is not YAML, with the line itself."""
    problem, index = str(error), 0
    if isinstance(error, yaml.reader.ReaderError):
        problem, index = f"the character {chr(error.character)!r} is not allowed", error.position
    elif isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        index = mark.index if mark else 0
    lines = text[: index + 1].splitlines()
    written = text.splitlines()[len(lines) - 1].strip()
    return (
        f"{source}, line {len(lines)}: {problem}. "
        f"Correct it there, where {shown(written)} stands, or in the lines before."
    )


class _StrictLoader(yaml.BaseLoader):
    """PyYAML's loader of plain text, with the refusals of this file."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse("anchors and aliases are not read; write the value out", event)
        if event.tag not in (None, "!"):
            self._refuse("tags are not read; write plain numbers and words", event)
        if self.depth == MAX_DEPTH:
            self._refuse(f"more than {MAX_DEPTH} levels are not read", event)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not (isinstance(key, yaml.ScalarNode) and key.value and key.value.isprintable()):
                self._refuse("a key must be a word", key)
            if key.value in mapping:
                self._refuse(f"the key {key.value!r} stands here for the second time", key)
            mapping[key.value] = self.construct_object(value, deep=True)
        return mapping

    def construct_scalar(self, node: yaml.ScalarNode) -> Any:
        empty = node.style is None and node.value in ("", "~", "null", "Null", "NULL")
        return None if empty else node.value

    def _refuse(self, problem: str, at: Any) -> None:
        raise yaml.constructor.ConstructorError(None, None, problem, at.start_mark)
