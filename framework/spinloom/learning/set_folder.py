"""Sets of signals that a network learns from together: one set, or all that lie side by side in a folder.

Sets of one network may be of other tissues, sequences and simulators, as the scenarios of one dynamic network are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from spinloom.learning.batches import Samples
from spinloom.learning.signal_set import SignalSet, open_set
from spinloom.learning.sources import Parts


@dataclass(frozen=True)
class SetFolder:
    """The sets at `path`, by the order of their names."""

    path: Path
    sets: tuple[SignalSet, ...]

    def __len__(self) -> int:
        """Number of samples."""
        return sum(map(len, self.sets))

    @property
    def digest(self) -> str:
        """That of the only set, or one of all their digests."""
        if len(self.sets) == 1:
            return self.sets[0].digest
        return hashlib.sha256("".join(found.digest for found in self.sets).encode()).hexdigest()

    def made_by(self, keys: Sequence[str]) -> dict[str, Any]:
        """Values of the sets' configurations by key: as they are where all sets share them, else by set."""
        made = {found.path.name: found.attributes["config"] for found in self.sets}
        return {key: _shared({name: config.get(key) for name, config in made.items()}) for key in keys}


def open_sets(path: str | Path) -> SetFolder:
    """The set at `path`, or the sets in that folder; `OutputError` where there is none, or one is not whole."""
    folder = Path(path)
    inside = [] if (folder / "zarr.json").is_file() else sorted(place.parent for place in folder.glob("*/zarr.json"))
    return SetFolder(folder, tuple(map(open_set, inside or [folder])))


@dataclass(frozen=True)
class JoinedParts:
    """The chunks of several parts, one after the other."""

    parts: tuple[Parts, ...]

    @property
    def chunks(self) -> int:
        """How many there are in all."""
        return self._ends[-1]

    @property
    def samples(self) -> int:
        """How many there are in all."""
        return sum(part.samples for part in self.parts)

    @property
    def lasting(self) -> bool:
        """Whether every epoch has the same samples."""
        return all(part.lasting for part in self.parts)

    def training(self, epoch: int, chunk: int) -> Samples:
        """Samples of a chunk to train on in an epoch."""
        part, place = self._owner(chunk)
        return part.training(epoch, place)

    def validating(self, chunk: int) -> Samples:
        """Samples of a chunk that no epoch trains on."""
        part, place = self._owner(chunk)
        return part.validating(place)

    def _owner(self, chunk: int) -> tuple[Parts, int]:
        """Whose chunk it is, and which of that one's."""
        number = next(n for n, end in enumerate(self._ends) if chunk < end)
        return self.parts[number], chunk - (self._ends[number] - self.parts[number].chunks)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(part.chunks for part in self.parts))


def _shared(values: Mapping[str, Any]) -> Any:
    first, *others = values.values()
    return first if all(other == first for other in others) else dict(values)
