"""A set of simulated signals on disk: what was drawn, what came out, and the sequences that it came from.

A set is a Zarr 3 group.  Its samples stand protocol after protocol, so many tissues each; arrays are cut along the
samples into chunks, which are written one by one and marked once they are whole.  A set that was interrupted knows
which are missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import OutputError

FORMAT = "spinloom-set-1"

DONE, DIGEST = "chunks_done", "digest"


@dataclass(frozen=True, eq=False)
class Description:
    """What a set will hold, before any of it is there.

    protocols: the `.seq` files that its signals come from, as text, by what they are called
    measurements: of each protocol, shape `(protocols,)`
    tissues: samples of each protocol
    chunk: samples that are simulated and written together
    addresses: of the numbers that vary, with their units
    store: `float32` or `float64`, of the signals
    attributes: what JSON can hold: configuration, seed, versions
    """

    protocols: Mapping[str, bytes]
    measurements: np.ndarray
    tissues: int
    chunk: int
    addresses: Mapping[str, str]
    store: str
    attributes: Mapping[str, Any]

    @property
    def samples(self) -> int:
        """Samples of the whole set."""
        return len(self.protocols) * self.tissues

    @property
    def chunks(self) -> tuple[tuple[int, slice], ...]:
        """Protocol of each chunk, and which of its tissues."""
        steps = range(0, self.tissues, self.chunk)
        return tuple(
            (protocol, slice(first, min(first + self.chunk, self.tissues)))
            for protocol in range(len(self.protocols))
            for first in steps
        )


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
        self.protocols: dict[str, bytes] = {
            str(name): np.asarray(group["sequences"][str(number)]).tobytes() for number, name in enumerate(names)
        }

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
        """Arrays by name, opened once: that takes longer than to read a chunk."""
        return {name: self._group[name] for name in ("mz", "mxy", *(f"numbers/{each}" for each in self.units))}


def open_set(path: str | Path) -> SignalSet:
    """The set at `path`; `OutputError` where there is none, or one that is not whole."""
    group = _opened(Path(path), "r")
    if DIGEST not in group.attrs:
        done = np.asarray(group[DONE])
        raise OutputError(
            f"The set {path} is not whole: {int(done.sum()):,} of {done.size:,} chunks are there. Give the command "
            "that made it again; it goes on where it stopped."
        )
    return SignalSet(Path(path), group)


class SetWriter:
    """Writes a set chunk by chunk, or goes on with one that was interrupted."""

    def __init__(self, path: Path, description: Description) -> None:
        self.path, self.description = path, description
        self._group = _continued(path, description) if (path / "zarr.json").is_file() else _created(path, description)

    def missing(self) -> list[int]:
        """Numbers of the chunks that are not whole."""
        return np.flatnonzero(np.asarray(self._group[DONE]) == 0).tolist()

    def write(self, chunk: int, numbers: Mapping[str, np.ndarray], mz: np.ndarray, mxy: np.ndarray) -> None:
        """Write a chunk and mark it; `mz` and `mxy` are of shape `(samples, measurements)`.

        Raises `OutputError` where there is no space; what was written before stays.
        """
        try:
            self._write(chunk, numbers, mz, mxy)
        except OSError as error:
            raise OutputError(
                f"Chunk {chunk} of the set {self.path} cannot be written: {error.strerror or error}. Those before are "
                "whole; free some space and give the same command again, and it goes on from there."
            ) from error

    def _write(self, chunk: int, numbers: Mapping[str, np.ndarray], mz: np.ndarray, mxy: np.ndarray) -> None:
        protocol, tissues = self.description.chunks[chunk]
        first = protocol * self.description.tissues
        rows = slice(first + tissues.start, first + tissues.stop)
        for address, values in numbers.items():
            self._group["numbers"][address][rows] = values
        for name, values in (("mz", mz), ("mxy", mxy)):
            array = self._group[name]
            padded = np.full((values.shape[0], array.shape[1]), np.nan, dtype=array.dtype)
            padded[:, : values.shape[1]] = values
            array[rows] = padded
        self._group[DONE][chunk] = 1

    def finish(self) -> str:
        """Seal a set of which every chunk is written; returns its digest."""
        assert not self.missing()
        self._group.attrs[DIGEST] = digest = _digest(self._group, self.description)
        return digest


def _created(path: Path, description: Description) -> Any:
    """An empty set; what is not there reads as NaN, so that a chunk which is lost is noticed."""
    import zarr

    widest = int(description.measurements.max())
    complex_store = np.result_type(description.store, np.complex64)
    group = zarr.open_group(str(path), mode="w-", zarr_format=3)
    shape, chunks = (description.samples, widest), (description.chunk, widest)
    for name, store in (("mz", description.store), ("mxy", complex_store)):
        group.create_array(name, shape=shape, chunks=chunks, dtype=store, fill_value=np.nan)
    numbers = group.create_group("numbers")
    for address, unit in description.addresses.items():
        array = numbers.create_array(address, shape=shape[:1], chunks=chunks[:1], dtype="float64", fill_value=np.nan)
        array.attrs["unit"] = unit
    group.create_array("measurements", data=description.measurements)
    sequences = group.create_group("sequences")
    for number, text in enumerate(description.protocols.values()):
        sequences.create_array(str(number), data=np.frombuffer(text, dtype=np.uint8))
    group.create_array(DONE, shape=(len(description.chunks),), chunks=(1,), dtype="uint8", fill_value=0)
    group.attrs.update(_attributes(description))
    return group


def _attributes(description: Description) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "tissues": description.tissues,
        "chunk": description.chunk,
        "protocols": list(description.protocols),
        "sha256": [hashlib.sha256(text).hexdigest() for text in description.protocols.values()],
        "units": dict(description.addresses),
        "store": description.store,
        "attributes": json.loads(json.dumps(dict(description.attributes))),
    }


def _continued(path: Path, description: Description) -> Any:
    """The group at `path`; `OutputError` where it is of another set."""
    group = _opened(path, "r+")
    wanted = _attributes(description)
    for name, what in (
        ("sha256", "sequences"),
        ("units", "varied numbers"),
        ("tissues", "number of samples"),
        ("chunk", "chunk"),
        ("store", "number type"),
    ):
        if group.attrs.get(name) != wanted[name]:
            raise _foreign(path, what)
    for name in ("config", "spinloom"):
        if group.attrs["attributes"].get(name) != wanted["attributes"].get(name):
            raise _foreign(path, "configuration" if name == "config" else "version of Spinloom")
    return group


def _foreign(path: Path, what: str) -> OutputError:
    return OutputError(
        f"output={path} holds a set that was begun with other values: its {what} differs from what is asked for now. "
        "Name another folder, or delete it."
    )


def _opened(path: Path, mode: Literal["r", "r+"]) -> Any:
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


def _digest(group: Any, description: Description) -> str:
    """SHA-256 of all numbers of the set, chunk after chunk."""
    found = hashlib.sha256(json.dumps(_attributes(description)["sha256"]).encode())
    for protocol, tissues in description.chunks:
        first = protocol * description.tissues
        rows = slice(first + tissues.start, first + tissues.stop)
        for array in (*(group["numbers"][address] for address in description.addresses), group["mz"], group["mxy"]):
            found.update(np.ascontiguousarray(array[rows]).tobytes())
    return found.hexdigest()
