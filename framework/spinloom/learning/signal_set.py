"""A set of simulated signals on disk: what was drawn, what came out, and the sequences that it came from.

A set is a Zarr 3 group.  Its samples stand protocol after protocol, so many tissues each; `set_writer` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import OutputError

FORMAT = "spinloom-set-2"

DONE, DIGEST = "chunks_done", "digest"

SEQUENCES, ENDS = "sequences", "sequence_ends"
"""The text of all `.seq` files one after the other, and where each ends."""


@dataclass(frozen=True, eq=False)
class SignalPart:
    """Some samples of a set, all of one protocol.

    numbers: that vary, by address, each of shape `(samples,)`
    protocol: number of the protocol among those of the set
    mz, mxy: first sample of each measurement, shape `(samples, measurements)`
    """

    numbers: Mapping[str, Tensor]
    protocol: int
    mz: Tensor
    mxy: Tensor


class SignalSet:
    """A whole set; `open_set` opens one."""

    def __init__(self, path: Path, group: Any) -> None:
        self._group = group
        self.path = path
        self.attributes: dict[str, Any] = dict(group.attrs["attributes"])
        self.digest: str = group.attrs[DIGEST]
        self.tissues: int = group.attrs["tissues"]
        self.units: dict[str, str] = dict(group.attrs["units"])
        self.measurements = np.asarray(group["measurements"])
        names: Any = group.attrs["protocols"]
        texts = np.split(np.asarray(group[SEQUENCES]), np.asarray(group[ENDS])[:-1])
        self.protocols: dict[str, bytes] = {str(name): text.tobytes() for name, text in zip(names, texts, strict=True)}

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.protocols) * self.tissues

    def parts(self, size: int, protocols: range | None = None) -> Iterator[SignalPart]:
        """The samples in order, at most `size` at a time, so that memory stays bounded."""
        for protocol in protocols or range(len(self.protocols)):
            for first in range(0, self.tissues, size):
                yield self.part(protocol, slice(first, min(first + size, self.tissues)))

    def part(self, protocol: int, tissues: slice) -> SignalPart:
        """Samples `tissues` of one protocol."""
        rows = slice(protocol * self.tissues + tissues.start, protocol * self.tissues + tissues.stop)
        count = int(self.measurements[protocol])
        return SignalPart(
            numbers={name: torch.from_numpy(np.asarray(self._arrays[f"numbers/{name}"][rows])) for name in self.units},
            protocol=protocol,
            mz=torch.from_numpy(np.asarray(self._arrays["mz"][rows, :count])),
            mxy=torch.from_numpy(np.asarray(self._arrays["mxy"][rows, :count])),
        )

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        return arrays_of(self._group, self.units)


def open_set(path: str | Path) -> SignalSet:
    """The set at `path`; `OutputError` where there is none, or one that is not whole."""
    group = opened(Path(path), "r")
    if DIGEST not in group.attrs:
        done = np.asarray(group[DONE])
        raise OutputError(
            f"The set {path} is not whole: {int(done.sum()):,} of {done.size:,} chunks are there. Give the command "
            "that made it again; it goes on where it stopped."
        )
    return SignalSet(Path(path), group)


def arrays_of(group: Any, addresses: Iterable[str]) -> dict[str, Any]:
    """Arrays of signals and numbers by name, opened once: that takes longer than to read a chunk."""
    return {name: group[name] for name in ("mz", "mxy", *(f"numbers/{each}" for each in addresses))}


def opened(path: Path, mode: Literal["r", "r+"]) -> Any:
    import zarr

    if not (path / "zarr.json").is_file():
        raise OutputError(f"{path} holds no set of signals; name the folder that `spinloom generate` wrote.")
    try:
        group = zarr.open_group(str(path), mode=mode)
        found = group.attrs.get("format")
    except (ValueError, KeyError, OSError) as error:
        raise OutputError(f"The set {path} cannot be read ({error}); it is damaged, make it anew.") from error
    if found != FORMAT:
        raise OutputError(f"{path} is of format {found!r}; this version reads '{FORMAT}'.")
    return group
