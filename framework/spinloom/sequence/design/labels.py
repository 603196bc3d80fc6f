"""What a file says about itself: definitions, and the labels of readouts."""

from __future__ import annotations

from types import SimpleNamespace

import pypulseq as pp


def define(sequence: pp.Sequence, **values: float | str | list[float]) -> None:
    """Set definitions of the file."""
    for name, value in values.items():
        sequence.set_definition(name, value)


def labels(**values: int) -> list[SimpleNamespace]:
    """Events that set data labels in a block, such as LIN."""
    return [pp.make_label(name, "SET", value) for name, value in values.items()]
