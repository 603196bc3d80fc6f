"""Labels, triggers and soft delays: the linked lists of Pulseq's [EXTENSIONS], unrolled."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.timeline import Extension, Label, SoftDelay, Trigger


def lower_extensions(sequence: Any, ids: np.ndarray) -> tuple[tuple[tuple[Extension, ...], ...], np.ndarray]:
    """Distinct extension lists that blocks play, and each block's index among them (-1 for none).

    ids: head of each block's list in pypulseq's `extensions_library`, shape `(blocks,)`
    """
    heads, inverse = np.unique(ids, return_inverse=True)
    lists = [_unroll(sequence, int(head)) for head in heads if head != 0]
    position = np.cumsum(heads != 0) - 1
    return tuple(lists), np.where(heads != 0, position, -1)[inverse]


def _unroll(sequence: Any, head: int) -> tuple[Extension, ...]:
    """The list that begins at `head`; Pulseq stores it backwards."""
    found: list[Extension] = []
    visited: set[int] = set()
    while head:
        if head in visited:
            raise SequenceError(f"the extension list at {head} refers to itself; it must end with 0.")
        visited.add(head)
        if head not in sequence.extensions_library.data:
            raise SequenceError(f"an extension list refers to entry {head}, which [EXTENSIONS] does not hold.")
        kind, reference, following = (int(number) for number in sequence.extensions_library.data[head])
        found.append(_extension(sequence, kind, reference))
        head = following
    return tuple(reversed(found))


def _extension(sequence: Any, kind: int, reference: int) -> Extension:
    if kind not in sequence.extension_numeric_idx:
        raise SequenceError(f"[EXTENSIONS] uses type {kind}, which no 'extension' line names.")
    name = sequence.get_extension_type_string(kind)
    library = {
        "TRIGGERS": sequence.trigger_library,
        "LABELSET": sequence.label_set_library,
        "LABELINC": sequence.label_inc_library,
        "DELAYS": sequence.soft_delay_library,
    }[name]
    if reference not in library.data:
        raise SequenceError(f"[EXTENSIONS] refers to entry {reference} of {name}, which the file does not define.")
    data = library.data[reference]
    if name == "TRIGGERS":
        kind_name = {1: "output", 2: "trigger"}.get(int(data[0]), "unknown")
        return Trigger(kind_name, int(data[1]), float(data[2]), float(data[3]))
    if name == "DELAYS":
        return SoftDelay(int(data[0]), float(data[1]), float(data[2]), str(data[3]))
    return Label(_label_name(int(data[1])), int(data[0]), increment=name == "LABELINC")


def _label_name(number: int) -> str:
    from pypulseq.supported_labels_rf_use import get_supported_labels

    return get_supported_labels()[number - 1]
