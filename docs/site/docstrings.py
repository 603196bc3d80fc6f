"""Docstrings as this project writes them, Markdown with bare lists of fields, as reStructuredText for Sphinx.

t1, t2: [s], positive where m0 is           a field: names, a colon, and what they mean
    of the voxel                            goes on where it is indented
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

import spinloom

FIELD = re.compile(r"(\s*)(\*{0,2}\w+(?:, \*{0,2}\w+)*): (\S.*)")
CODE = re.compile(r"(`+)(.+?)\1")
SPECIAL = re.compile(r"([*|\\]|(?<=\w)_(?!\w))")


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite every docstring that autodoc reads."""
    app.connect("autodoc-process-docstring", _rewrite)
    app.connect("autodoc-process-signature", _shorten)
    return {"parallel_read_safe": True}


def _rewrite(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    text = _below_assignment(name.rpartition(".")[2]) if what == "data" else None
    lines[:] = list(_restructured(text or lines))


def _shorten(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Signatures of which Sphinx makes no list, because a default is made anew: without the homes of types."""
    return re.sub(r"~(?:\w+\.)*(\w+)", r"\1", signature or "").replace("<factory>", "...") or None, returns


def _below_assignment(name: str) -> list[str] | None:
    """The docstring below the assignment of a public name, in the module of its home."""
    return ModuleAnalyzer.for_module(spinloom._HOMES[name]).find_attr_docs().get(("", name))


def _restructured(lines: list[str]) -> Iterator[str]:
    """Fields become a list of definitions; marks that reStructuredText would take for its own are escaped."""
    field_indent: str | None = None
    after = ""
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        field = FIELD.fullmatch(line)
        if field and (field_indent == indent or (field_indent is None and (not after or after.endswith(":")))):
            if field_indent is None and after:
                yield ""
            field_indent = indent
            yield ", ".join(f"``{name}``" for name in field[2].split(", "))
            yield f"    {inline(field[3])}"
        elif not line.strip():
            field_indent = None
            yield ""
        elif field_indent is not None:
            yield f"    {inline(line.strip())}"
        else:
            yield f"{indent}{inline(line.strip())}"
        after = line.strip()


def inline(text: str) -> str:
    """Text with public names linked, other code marked, and what is neither escaped."""
    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [SPECIAL.sub(r"\\\1", text[end : code.start()]), _linked(code[2])]
        end = code.end()
    return "".join([*parts, SPECIAL.sub(r"\\\1", text[end:])])


def _linked(code: str) -> str:
    """Code, as a link where it is a public name; a single small word is taken for a word."""
    name = code.removeprefix("spinloom.")
    told = name != code or re.search("[A-Z_]", code)
    return f":py:obj:`~spinloom.{name}`" if told and name in spinloom.__all__ else f"``{code}``"
