"""A dictionary: signals of many tissues under one sequence, with the numbers that tell those tissues apart.

It is read part by part, so that one of millions of entries needs no more memory than one of thousands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import SpinloomError, known_names
from spinloom.learning.signal_set import SignalPart, SignalSet, open_set

QUANTITIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mxy": lambda mz, mxy: mxy.abs(),
    "mz": lambda mz, mxy: mz,
}
"""What of a signal is matched: the magnitude of its transverse part, or its longitudinal part with its sign."""


class DictionaryError(SpinloomError):
    """A dictionary that cannot be matched, or that does not fit what it is matched with."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Some entries: their numbers, float64, shape `(entries, numbers)`; signals, shape `(entries, measurements)`."""

    numbers: Tensor
    signals: Tensor


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Entries in an order that does not change.

    units: of the numbers that vary, by name, in their order
    entries, measurements: how many there are, and how many numbers a signal has
    read: gives the entries in order, at most so many at a time
    sequence, sha256: that the signals come from, None where it is not known
    digest: of the set that it was read from, None for arrays
    """

    name: str
    units: Mapping[str, str]
    entries: int
    measurements: int
    read: Callable[[int], Iterator[Entries]]
    sequence: str | None = None
    sha256: str | None = None
    digest: str | None = None

    def parts(self, size: int) -> Iterator[Entries]:
        """The entries in order, at most `size` at a time; `DictionaryError` for a signal that cannot be matched."""
        first = 0
        for part in self.read(size):
            _refuse_unusable(self.name, part.signals, first)
            yield part
            first += part.signals.shape[0]


def dictionary_of(
    numbers: Mapping[str, Tensor], signals: Tensor, units: Mapping[str, str] | None = None, name: str = "the dictionary"
) -> Dictionary:
    """A dictionary of arrays.

    numbers: what varies, by name, shape `(entries,)` each
    signals: real, shape `(entries, measurements)`
    units: of the numbers by name; those left out have none

    Raises `DictionaryError` where there is no entry, or lengths differ.
    """
    if signals.ndim != 2 or signals.is_complex():
        raise DictionaryError(
            f"The signals of {name} are {signals.dtype} of shape {tuple(signals.shape)}; give real ones of shape "
            "(entries, measurements), such as magnitudes."
        )
    for number, values in numbers.items():
        if values.shape != signals.shape[:1]:
            raise DictionaryError(
                f"'{number}' of {name} has shape {tuple(values.shape)} for {signals.shape[0]:,} signals; give one "
                "value an entry."
            )
    entries, measurements = signals.shape
    _refuse_empty(name, entries, measurements)
    columns = torch.stack([values.double() for values in numbers.values()], dim=1) if numbers else signals[:, :0]

    def read(size: int) -> Iterator[Entries]:
        for first in range(0, entries, size):
            yield Entries(columns[first : first + size].double(), signals[first : first + size])

    given = units or {}
    return Dictionary(name, {number: given.get(number, "1") for number in numbers}, entries, measurements, read)


def read_dictionary(path: str | Path, quantity: str = "mxy") -> Dictionary:
    """The dictionary that a set of signals of one sequence is, the folder `path` that `spinloom generate` wrote.

    quantity: one of `QUANTITIES`

    Raises `DictionaryError` for a set of several sequences, `OutputError` for what is no whole set.
    """
    if quantity not in QUANTITIES:
        raise DictionaryError(f"A dictionary has no '{quantity}'. {known_names(quantity, QUANTITIES)}")
    found = open_set(path)
    if len(found.protocols) != 1:
        raise DictionaryError(
            f"The set {path} is of {len(found.protocols)} sequences, but a dictionary is of one; make a set without "
            "'protocols'."
        )
    _refuse_empty(f"the set {path}", len(found), int(found.measurements[0]))
    ((sequence, text),) = found.protocols.items()
    return Dictionary(
        name=Path(path).name,
        units=found.units,
        entries=len(found),
        measurements=int(found.measurements[0]),
        read=lambda size: (_entries(found, part, quantity) for part in found.parts(size)),
        sequence=sequence,
        sha256=hashlib.sha256(text).hexdigest(),
        digest=found.digest,
    )


def _entries(found: SignalSet, part: SignalPart, quantity: str) -> Entries:
    columns = [part.numbers[name] for name in found.units]
    numbers = torch.stack(columns, dim=1) if columns else torch.zeros(part.mz.shape[0], 0, dtype=torch.float64)
    return Entries(numbers, QUANTITIES[quantity](part.mz, part.mxy))


def _refuse_empty(name: str, entries: int, measurements: int) -> None:
    if entries == 0 or measurements == 0:
        raise DictionaryError(
            f"{name[:1].upper()}{name[1:]} has {entries} entries of {measurements} measurements; nothing can be "
            "matched with it. Make one with `spinloom generate`."
        )


def _refuse_unusable(name: str, signals: Tensor, first: int) -> None:
    """Raise for entries with a number that is not finite, or with nothing but zeros."""
    for wrong, what in (
        (~signals.isfinite().all(dim=1), "a number that is not finite"),
        ((signals == 0).all(dim=1), "nothing but zeros"),
    ):
        if bool(wrong.any()):
            place = first + int(np.flatnonzero(wrong.numpy())[0])
            raise DictionaryError(
                f"Entry {place:,} of {name} (counted from 0) holds {what}; leave it out or make the dictionary anew."
            )
