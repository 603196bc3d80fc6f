"""Families and their parameters as text: `fse(esp_ms=10, rf=sinc)`.

Values are numbers, words, `true`, `false`, `none`, and numbers in parentheses or brackets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from spinloom.errors import SequenceError

Value = int | float | bool | str | tuple[float, ...] | None
"""What a parameter of a family may be."""

_WORDS = {"true": True, "false": False, "none": None}
_CALL = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\((.*)\)\s*", re.DOTALL)
_BEGIN = re.compile(r"[A-Za-z][\w.-]*\(")


def write_expression(name: str, parameters: Mapping[str, Value]) -> str:
    """The text that `parse_expression` turns into the same name and parameters, every digit of them."""
    return f"{name}({', '.join(f'{key}={write_value(value)}' for key, value in parameters.items())})"


def write_value(value: Value) -> str:
    """A value as it stands in an expression."""
    match value:
        case bool() | None:
            return str(value).lower()
        case float():
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
        case tuple():
            return f"({', '.join(write_value(item) for item in value)})"
        case _:
            return str(value)


def parse_expression(text: str) -> tuple[str, dict[str, Value]] | None:
    """Name and parameters of an expression; None where `text` is none.

    Raises `SequenceError` for one that is not well formed.
    """
    call = _CALL.fullmatch(text)
    if call is None:
        return None
    try:
        tree = ast.parse(f"_({call[2]})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _malformed(text) from None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.args:
        raise _malformed(text)
    parameters: dict[str, Value] = {}
    for keyword in tree.keywords:
        if keyword.arg is None or keyword.arg in parameters:
            raise _malformed(text)
        parameters[keyword.arg] = _value(keyword.value, text)
    return call[1], parameters


def _value(node: ast.expr, text: str) -> Value:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as value)):
            return -value if isinstance(sign, ast.USub) else value
        case ast.Name(id=word):
            return _WORDS.get(word.lower(), word)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            values = [_value(item, text) for item in items]
            if all(isinstance(value, int | float) for value in values):
                return tuple(values)  # type: ignore[arg-type]
    raise _malformed(text)


def _malformed(text: str) -> SequenceError:
    return SequenceError(
        f"'{text.strip()}' is no family with parameters; write it as family(name=value, ...), values being numbers, "
        "words, true, false, none or (1, 2, 3)."
    )


def quote_expressions(text: str, keep: Collection[str] = ()) -> str:
    """`text` with every call in quotes, for a grammar that knows calls of its own, those named in `keep`."""
    parts, begin = [], 0
    for start, stop in _calls(text, keep):
        parts += [text[begin:start], "'", text[start:stop].replace("'", "\\'"), "'"]
        begin = stop
    return "".join([*parts, text[begin:]])


def _calls(text: str, keep: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where calls that are not quoted begin and end, outermost first; inside those named in `keep`, the next level."""
    position = 0
    while position < len(text):
        if text[position] in "'\"":
            position = _end_of_quote(text, position)
            continue
        call = _BEGIN.match(text, position)
        if call is None or call[0][:-1] in keep:
            position = call.end() if call else position + 1
            continue
        stop = _end_of_call(text, call.end())
        yield position, stop
        position = stop


def _end_of_quote(text: str, start: int) -> int:
    stop = text.find(text[start], start + 1)
    return len(text) if stop < 0 else stop + 1


def _end_of_call(text: str, start: int) -> int:
    """Behind the parenthesis that closes the one before `start`."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)
