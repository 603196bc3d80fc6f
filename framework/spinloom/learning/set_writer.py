"""Writing a set of signals: chunk by chunk, each marked once it is whole, so that an interrupted set knows its gaps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from spinloom.errors import OutputError
from spinloom.learning.signal_set import DIGEST, DONE, ENDS, FORMAT, SEQUENCES, arrays_of, opened

READ_AT_ONCE = 2**24
"""Bytes of signals of the chunks that the digest reads together."""


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

    @cached_property
    def chunks(self) -> tuple[tuple[int, slice], ...]:
        """Protocol of each chunk, and which of its tissues."""
        steps = range(0, self.tissues, self.chunk)
        return tuple(
            (protocol, slice(first, min(first + self.chunk, self.tissues)))
            for protocol in range(len(self.protocols))
            for first in steps
        )

    def rows(self, chunk: int) -> slice:
        """Samples of a chunk among those of the whole set."""
        protocol, tissues = self.chunks[chunk]
        first = protocol * self.tissues
        return slice(first + tissues.start, first + tissues.stop)


@dataclass(frozen=True, eq=False)
class WholeChunk:
    """The numbers of a chunk that are to be written.

    number: of the chunk
    columns: numbers that vary, by address, each of shape `(samples,)`
    mz, mxy: first sample of each measurement, shape `(samples, measurements)`
    """

    number: int
    columns: Mapping[str, np.ndarray]
    mz: np.ndarray
    mxy: np.ndarray

    @property
    def bytes(self) -> int:
        """Size of its signals."""
        return self.mz.nbytes + self.mxy.nbytes


class SetWriter:
    """Writes a set chunk by chunk, or goes on with one that was interrupted."""

    def __init__(self, path: Path, description: Description) -> None:
        self.path, self.description = path, description
        self._group = _continued(path, description) if (path / "zarr.json").is_file() else _created(path, description)
        self._digest = hashlib.sha256(json.dumps(_attributes(description)["sha256"]).encode())
        self._digested = 0  # chunks from the first on

    def missing(self) -> list[int]:
        """Numbers of the chunks that are not whole."""
        return np.flatnonzero(np.asarray(self._group[DONE]) == 0).tolist()

    def write(self, chunks: Sequence[WholeChunk]) -> None:
        """Write some chunks and mark them; those whose numbers follow each other are written together.

        Raises `OutputError` where there is no space; what was written before stays.
        """
        for run in _runs(sorted(chunks, key=lambda chunk: chunk.number)):
            try:
                self._write(run)
            except OSError as error:
                last = f" to {run[-1].number}" if len(run) > 1 else ""
                raise OutputError(
                    f"Chunk {run[0].number}{last} of the set {self.path} cannot be written: {error.strerror or error}. "
                    "Those before are whole; free some space and give the same command again, and it goes on."
                ) from error

    def _write(self, run: list[WholeChunk]) -> None:
        rows = slice(self.description.rows(run[0].number).start, self.description.rows(run[-1].number).stop)
        values = {
            f"numbers/{address}": np.concatenate([chunk.columns[address] for chunk in run])
            for address in self.description.addresses
        }
        for name, parts in (("mz", [chunk.mz for chunk in run]), ("mxy", [chunk.mxy for chunk in run])):
            array = self._arrays[name]
            values[name] = np.full((rows.stop - rows.start, array.shape[1]), np.nan, dtype=array.dtype)
            begin = 0
            for part in parts:
                values[name][begin : begin + len(part), : part.shape[1]] = part
                begin += len(part)
        for name, written in values.items():
            self._arrays[name][rows] = written
        self._arrays[DONE][run[0].number : run[-1].number + 1] = 1
        if run[0].number == self._digested:
            self._take_into_digest(range(run[0].number, run[-1].number + 1), values)

    def finish(self) -> str:
        """Seal a set of which every chunk is written; returns its digest, SHA-256 of all numbers, chunk by chunk."""
        assert not self.missing()
        widest = self.description.chunk * self._arrays["mxy"].shape[1] * self._arrays["mxy"].dtype.itemsize
        step = max(1, READ_AT_ONCE // widest)
        while left := range(self._digested, len(self.description.chunks))[:step]:
            rows = slice(self.description.rows(left[0]).start, self.description.rows(left[-1]).stop)
            names = (*(f"numbers/{address}" for address in self.description.addresses), "mz", "mxy")
            self._take_into_digest(left, {name: self._arrays[name][rows] for name in names})
        self._group.attrs[DIGEST] = digest = self._digest.hexdigest()
        return digest

    def _take_into_digest(self, chunks: range, values: Mapping[str, np.ndarray]) -> None:
        """values: of these chunks, by array, in the order in which they are taken."""
        begin = self.description.rows(chunks[0]).start
        for chunk in chunks:
            rows = self.description.rows(chunk)
            for array in values.values():
                self._digest.update(np.ascontiguousarray(array[rows.start - begin : rows.stop - begin]).data)
        self._digested = chunks[-1] + 1

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        return {DONE: self._group[DONE], **arrays_of(self._group, self.description.addresses)}


def _runs(chunks: list[WholeChunk]) -> Iterator[list[WholeChunk]]:
    """Chunks whose numbers follow each other, together."""
    for _, run in groupby(enumerate(chunks), key=lambda placed: placed[1].number - placed[0]):
        yield [chunk for _, chunk in run]


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
    group.create_array(SEQUENCES, data=np.frombuffer(b"".join(description.protocols.values()), dtype=np.uint8))
    group.create_array(ENDS, data=np.cumsum([len(text) for text in description.protocols.values()]))
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
    group = opened(path, "r+")
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
