"""Build a sequence from a family and parameters, reproducibly, and draw parameters for many.

The file says how it was made: its definition `Family` is the expression that builds the same bytes again.  Where a
parameter plays otherwise than asked (on the raster, or chosen where it was `none`), the family's function states the
played value as a definition of the parameter's name, and that one stands in the expression.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pypulseq as pp

from spinloom.errors import PluginError, SequenceError, SpinloomError
from spinloom.sequence.expression import Value, write_expression
from spinloom.sequence.family import Family
from spinloom.sequence.lowering import lower
from spinloom.sequence.parameter import Parameter
from spinloom.sequence.text import parse_text
from spinloom.sequence.timeline import Timeline
from spinloom.whole_file import write_whole

Draw = tuple[float, float] | Sequence[Value]
"""How a parameter is drawn: a tuple of lowest and highest number, or a list of values."""


@dataclass(frozen=True)
class BuiltSequence:
    """A sequence that a family built.

    parameters: all of the family's, as they are played
    content: of the `.seq` file
    """

    family: str
    parameters: Mapping[str, Value]
    content: bytes

    @property
    def expression(self) -> str:
        """Family and parameters as text, from which `spinloom.read_sequence` builds the same sequence."""
        return write_expression(self.family, self.parameters)

    def write(self, path: str | Path) -> None:
        """Write the `.seq` file, whole or not at all; `OutputError` where it cannot be written."""
        write_whole(path, self.content)

    def timeline(self, source: str | None = None) -> Timeline:
        """What the file plays; `source` is what messages call it."""
        return lower(parse_text(self.content, source or f"{self.family}.seq"))


def build(family: Family, parameters: Mapping[str, Any]) -> BuiltSequence:
    """The sequence of `family` with `parameters`; those that are not given have their defaults.

    Raises `SequenceError` for a parameter that is unknown, has the wrong type, or cannot be played, and `PluginError`
    where the family's function fails.
    """
    complete = family.complete(parameters)
    try:
        sequence = family.function(**complete)
    except SpinloomError:
        raise
    except Exception as error:
        raise PluginError(
            f"{write_expression(family.name, complete)} cannot be built: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(sequence, pp.Sequence):
        raise PluginError(f"Family '{family.name}' built {type(sequence).__name__}, not a sequence of pypulseq.")
    played = {name: _played(sequence.definitions.get(name, value), value) for name, value in complete.items()}
    sequence.set_definition("Family", write_expression(family.name, played))
    return BuiltSequence(family.name, played, _content(sequence))


def _played(stated: Any, asked: Value) -> Value:
    return float(stated) if isinstance(stated, int | float) and not isinstance(asked, bool | int) else stated


def _content(sequence: pp.Sequence) -> bytes:
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder:
        path = Path(folder) / "built.seq"
        sequence.write(str(path), create_signature=True)
        return path.read_bytes()


def draw(family: Family, ranges: Mapping[str, Draw] | None = None, *, seed: int, count: int) -> list[dict[str, Value]]:
    """`count` draws of parameters, each for `build`; the same for the same family, ranges and seed.

    ranges: by parameter, `(low, high)` for a number that is drawn uniformly, whole numbers with both ends, or a list
        of values of which one is drawn; None takes the ranges that the family was published with

    What is drawn for one parameter does not depend on the others.  Raises `SequenceError` for a parameter that is
    unknown or a range that it cannot have.
    """
    chosen: Mapping[str, Draw] = family.published() if ranges is None else ranges
    columns = {name: _column(family.parameter(name), range_, seed, count) for name, range_ in chosen.items()}
    return [{name: column[index] for name, column in columns.items()} for index in range(count)]


def _column(parameter: Parameter, range_: Draw, seed: int, count: int) -> list[Value]:
    generator = np.random.default_rng([seed, *parameter.name.encode()])
    if isinstance(range_, list):
        values = [parameter.accept(value) for value in range_]
        return [values[index] for index in generator.integers(len(values), size=count)]
    if parameter.kind not in (int, float) or len(range_) != 2:
        raise SequenceError(f"{parameter.name} is drawn from {range_!r}; give (low, high) for a number, or a list.")
    low, high = sorted(parameter.accept(end) for end in range_)  # type: ignore[type-var]
    if parameter.kind is int:
        return [int(value) for value in generator.integers(low, high, size=count, endpoint=True)]  # type: ignore[arg-type]
    return [float(value) for value in generator.uniform(low, high, size=count)]  # type: ignore[arg-type]
