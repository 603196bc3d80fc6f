"""Labels, triggers, soft delays, rotations and RF shims: the linked lists of Pulseq's [EXTENSIONS], unrolled."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping

import numpy as np

from spinloom.errors import SequenceError, known_names
from spinloom.sequence.events import Extension, Label, RfShim, Rotation, SoftDelay, Trigger
from spinloom.sequence.text import SequenceText

_MICROSECOND = 1e-6

_UNIT_LENGTH = 1e-3
"""A quaternion's length may differ from 1 by this: files carry six digits, and some writers fewer."""

MAX_LIST = 1000
"""A longer extension list is damage: it could set each label of the format many times over."""


def lower_extensions(text: SequenceText, ids: np.ndarray) -> tuple[tuple[tuple[Extension, ...], ...], np.ndarray]:
    """Distinct extension lists that blocks play, and each block's index among them (-1 for none).

    ids: head of each block's list in [EXTENSIONS], shape `(blocks,)`
    """
    entries = {key: tuple(rest) for key, *rest in (map(int, row.words) for row in text.rows("[EXTENSIONS]"))}
    items = _specifications(text)
    heads, inverse = np.unique(ids, return_inverse=True)
    lists = tuple(_unroll(entries, items, int(head)) for head in heads if head != 0)
    position = np.cumsum(heads != 0) - 1
    return lists, np.where(heads != 0, position, -1)[inverse]


def _specifications(text: SequenceText) -> dict[int, tuple[str, dict[int, Extension]]]:
    """Name and entries of each extension that the file specifies, by its numeric type."""
    found: dict[int, tuple[str, dict[int, Extension]]] = {}
    for section in text.sections:
        if section.header.startswith("extension "):
            _, name, number = section.header.split()
            if int(number) in found or name in (known for known, _ in found.values()):
                raise SequenceError(f"'{section.header}' has the type or the name of another extension of the file.")
            found[int(number)] = name, {int(row.words[0]): _extension(name, row.words[1:]) for row in section.rows}
    return found


def _extension(name: str, words: list[str]) -> Extension:
    if name == "TRIGGERS":
        kind = {1: "output", 2: "trigger"}.get(int(words[0]))
        if kind is None:
            raise SequenceError(f"a trigger has the type {words[0]}; known: 1 (output) and 2 (trigger).")
        return Trigger(kind, int(words[1]), float(words[2]) * _MICROSECOND, float(words[3]) * _MICROSECOND)
    if name == "DELAYS":
        return SoftDelay(int(words[0]), float(words[1]) * _MICROSECOND, float(words[2]), words[3])
    if name == "ROTATIONS":
        return _rotation([float(word) for word in words])
    if name == "RF_SHIMS":
        numbers = [float(word) for word in words[1:]]
        return RfShim(tuple(map(cmath.rect, numbers[0::2], numbers[1::2])))
    return Label(_label_name(words[1]), int(words[0]), increment=name == "LABELINC")


def _rotation(quaternion: list[float]) -> Rotation:
    length = math.hypot(*quaternion)
    if abs(length - 1) > _UNIT_LENGTH:
        raise SequenceError(f"a rotation has the quaternion {quaternion} of length {length:g}; its length must be 1.")
    real, x, y, z = (part / length for part in quaternion)
    return Rotation((real, x, y, z))


def _label_name(name: str) -> str:
    from pypulseq.supported_labels_rf_use import get_supported_labels

    if name not in get_supported_labels():
        raise SequenceError(f"there is no label '{name[:40]}' in Pulseq. {known_names(name, get_supported_labels())}")
    return name


def _unroll(
    entries: Mapping[int, tuple[int, ...]], items: Mapping[int, tuple[str, dict[int, Extension]]], head: int
) -> tuple[Extension, ...]:
    """The list that begins at `head`; Pulseq stores it backwards."""
    found: list[Extension] = []
    visited: set[int] = set()
    start = head
    while head:
        if head in visited or len(visited) == MAX_LIST:
            raise SequenceError(f"the extension list at {head} refers to itself or is endless; it must end with 0.")
        visited.add(head)
        if head not in entries:
            raise SequenceError(f"an extension list refers to entry {head}, which [EXTENSIONS] does not hold.")
        kind, reference, head = entries[head]
        if kind not in items:
            raise SequenceError(f"[EXTENSIONS] uses type {kind}, which no 'extension' line names.")
        name, specified = items[kind]
        if reference not in specified:
            raise SequenceError(f"[EXTENSIONS] refers to entry {reference} of {name}, which the file does not define.")
        found.append(specified[reference])
    for single, what in ((Rotation, "rotations"), (RfShim, "RF shims")):
        if sum(isinstance(item, single) for item in found) > 1:
            raise SequenceError(f"the extension list at {start} holds several {what}; a block has at most one.")
    return tuple(reversed(found))
