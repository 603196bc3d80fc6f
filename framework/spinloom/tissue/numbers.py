"""Numbers as pool models write them: `0.05`, `62e-3` (text in YAML 1.1) and fractions such as `11.2 / 111`.

Text is parsed as arithmetic of numbers, `+ - * /` and parentheses, and nothing else; it is never executed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import reprlib
from collections.abc import Callable

from spinloom.errors import TissueError

MAX_PULSE_SAMPLES = 1_000_000
"""More samples a pulse than this are refused: a second of RF on a 1 us raster."""

_ARITHMETIC = re.compile(r"[0-9eE.+*/() \t-]{1,100}")
_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type, Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_SWITCHES = dict.fromkeys(("true", "yes", "on"), True) | dict.fromkeys(("false", "no", "off"), False)


_REPR = reprlib.Repr()
_REPR.maxstring = 80


def shown(written: object) -> str:
    """A value as an error shows it: its `repr`, shortened where it is long."""
    return _REPR.repr(written)


def number(written: object, where: str) -> float:
    """The finite number that `written` stands for.

    written: a number, or text with a number or arithmetic of numbers
    where: file and key, the beginning of the error's sentence
    """
    value = _value(written)
    if not math.isfinite(value):
        raise TissueError(
            f"{where} is {shown(written)}, but must be a finite number such as 0.05, 62e-3 or 11.2 / 111."
        )
    return value


def switch(written: object, where: str) -> bool:
    """Whether `written` says true or false: a boolean, such a word, or 1 or 0."""
    if isinstance(written, bool):
        return written
    word = written.strip().lower() if isinstance(written, str) else ""
    if word in _SWITCHES:
        return _SWITCHES[word]
    value = _value(written)
    if value not in (0.0, 1.0):
        raise TissueError(f"{where} is {shown(written)}, but must be true or false (or 1 or 0).")
    return bool(value)


def count(written: object, where: str) -> int:
    """The whole number from 1 to `MAX_PULSE_SAMPLES` that `written` stands for."""
    value = _value(written)
    if not (value.is_integer() and 1 <= value <= MAX_PULSE_SAMPLES):
        raise TissueError(f"{where} is {shown(written)}, but must be a whole number from 1 to {MAX_PULSE_SAMPLES}.")
    return int(value)


def _value(written: object) -> float:
    """The number that `written` stands for, NaN where it is none."""
    try:
        if isinstance(written, str):
            return _arithmetic(written.strip())
        if isinstance(written, int | float) and not isinstance(written, bool):
            return float(written)
    except ArithmeticError:
        return math.nan
    return math.nan


def _arithmetic(text: str) -> float:
    if not _ARITHMETIC.fullmatch(text):
        return math.nan
    try:
        return _evaluate(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return math.nan


def _evaluate(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_evaluate(left), _evaluate(right))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_evaluate(operand))
    return math.nan
