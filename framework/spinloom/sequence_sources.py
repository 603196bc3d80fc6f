"""Sequences by name, path or family: the families that plugins offer, and the door that takes any of the three.

`read_sequence("fse(esp_ms=9)")` builds the file of the family `fse` and reads it; wherever a sequence is asked for,
such an expression does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from spinloom.errors import PluginError, SequenceError
from spinloom.registry import plugins
from spinloom.sequence import families
from spinloom.sequence.expression import Value, parse_expression
from spinloom.sequence.families import BuiltSequence, Draw
from spinloom.sequence.family import Family
from spinloom.sequence.read import read_sequence as read_file
from spinloom.sequence.read import sequence_names, sequence_path
from spinloom.sequence.timeline import Timeline

log = logging.getLogger(__name__)

_KEPT = 1024
"""Built sequences that are kept, some 0.1 MB each: a set of drawn protocols asks for each of them twice."""


def read_sequence(source: str | Path) -> Timeline:
    """Read a `.seq` file of Pulseq 1.2 to 1.5, or build one.

    source: a path, the name of a sequence that Spinloom ships, or a family with parameters such as `fse(esp_ms=9)`

    Raises `SequenceError` with the line, event or parameter that is wrong.
    """
    built = _built(source)
    if built is not None:
        return built.timeline(f"{source}.seq")
    try:
        return read_file(source)
    except SequenceError:
        if source not in sequence_names() and source in plugins().sequence_families():
            raise SequenceError(f"'{source}' is a family of sequences; '{source}()' plays its defaults.") from None
        raise


def sequence_content(source: str | Path) -> bytes:
    """The bytes of the file that `read_sequence` reads."""
    built = _built(source)
    return sequence_path(source).read_bytes() if built is None else built.content


def sequence_families() -> dict[str, Family]:
    """The families of all plugins that run, by name, sorted; a warning tells of one that cannot be used."""
    found = {}
    for name in sorted(plugins().sequence_families()):
        try:
            found[name] = sequence_family(name)
        except PluginError as error:
            log.warning("%s", error)
    return found


def sequence_family(name: str) -> Family:
    """The family `name`; `PluginError` where there is none, or where its function does not describe one."""
    function = plugins().sequence_family(name)
    try:
        return Family.of(name, function)
    except PluginError as error:
        plugin = plugins().sequence_families()[name]
        raise PluginError(f"Family '{name}' of plugin '{plugin}' cannot be used. {error}") from error


def build_sequence(family: str, /, **parameters: Any) -> BuiltSequence:
    """The sequence of a family; parameters that are not given have their defaults.

    Raises `SequenceError` for a parameter that is unknown, of the wrong type, or beyond what can be played.
    """
    return families.build(sequence_family(family), parameters)


def write_sequence(family: str, path: str | Path, /, **parameters: Any) -> BuiltSequence:
    """Build the sequence of a family and write its `.seq` file to `path`; what was there is replaced."""
    built = build_sequence(family, **parameters)
    built.write(path)
    return built


def draw_parameters(
    family: str, ranges: Mapping[str, Draw] | None = None, *, seed: int, count: int
) -> list[dict[str, Value]]:
    """`count` draws of parameters of a family, the same for the same seed, each for `build_sequence(family, **draw)`.

    ranges: by parameter, `(low, high)` for a number drawn uniformly, or a list of values of which one is drawn; None
        takes the ranges that the family was published with
    """
    return families.draw(sequence_family(family), ranges, seed=seed, count=count)


def _built(source: str | Path) -> BuiltSequence | None:
    """The sequence of an expression; None for a name or a path."""
    return None if isinstance(source, Path) or _is_there(source) else _of_expression(source)


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # an expression may be longer than a name of a file
        return False


@lru_cache(maxsize=_KEPT)
def _of_expression(text: str) -> BuiltSequence | None:
    expression = parse_expression(text)
    return None if expression is None else build_sequence(expression[0], **expression[1])
