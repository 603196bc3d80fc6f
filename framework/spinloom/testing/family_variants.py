"""Other values of a family's parameters, and what of a file is played."""

from __future__ import annotations

from spinloom.errors import SequenceError
from spinloom.sequence.expression import Value
from spinloom.sequence.parameter import Parameter


def another_value(parameter: Parameter, played: Value) -> Value:
    """Another value that the parameter may have, near the one that is played; None where none is near."""
    candidates: list[Value] = [choice for choice in parameter.choices if choice != played]
    match played:
        case bool():
            candidates = [not played]
        case int():
            candidates = [played + parameter.meaning.multiple, played - parameter.meaning.multiple]
        case float():
            candidates = [played * 1.1, played * 0.9, played + 1.0]
        case tuple():
            candidates = [tuple(1.5 * item for item in played)]
    for candidate in candidates:
        try:
            if parameter.accept(candidate) != played:
                return candidate
        except SequenceError:
            continue
    return None


def played_lines(content: bytes) -> list[bytes]:
    """The lines of a file that are played, without the definitions and the signature."""
    kept, keep = [], True
    for line in content.splitlines():
        if line.startswith(b"["):
            keep = line.strip() not in (b"[DEFINITIONS]", b"[SIGNATURE]")
        if keep and not line.startswith(b"#"):
            kept.append(line)
    return kept
