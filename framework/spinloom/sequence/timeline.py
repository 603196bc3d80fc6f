"""What a `.seq` file plays, as immutable nouns: distinct events once, and a table of blocks that refers to them.

All quantities are SI: seconds, hertz (RF amplitude as a nutation frequency), hertz per metre, radians.
Nothing is played here; `spinloom.sequence.steps` turns a timeline into the order in which spins meet it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter

import numpy as np

from spinloom.sequence.events import (
    AdcEvent,
    Extension,
    Label,
    RfEvent,
    RfShim,
    RfWaveform,
    Rotation,
    SoftDelay,
    Trigger,
)
from spinloom.sequence.frozen import FrozenMapping, freeze
from spinloom.sequence.gradient import GradientEvent

__all__ = [
    "AXES",
    "AdcEvent",
    "Block",
    "Extension",
    "GradientEvent",
    "Label",
    "Rasters",
    "RfEvent",
    "RfShim",
    "RfWaveform",
    "Rotation",
    "SoftDelay",
    "Timeline",
    "Trigger",
]


@dataclass(frozen=True)
class Rasters:
    """Raster times of the file [s]."""

    rf: float
    gradient: float
    adc: float
    block: float


@dataclass(frozen=True, eq=False)
class Block:
    """One row of the block table with its events looked up; see `Timeline.block`."""

    index: int
    start: float
    duration: float
    rf: RfEvent | None
    gradients: Mapping[str, GradientEvent]
    adc: AdcEvent | None
    extensions: tuple[Extension, ...]


AXES = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class Timeline:
    """A `.seq` file: its distinct events and the order in which its blocks play them.

    version: of the Pulseq format, such as (1, 4, 1)
    definitions: the file's [DEFINITIONS], numbers as float or tuple of float, the rest as text
    waveforms, rf, gradients, adcs: distinct events
    extensions: distinct lists of labels, triggers, soft delays, rotations and RF shims
    block_duration: [s], shape `(blocks,)`
    block_rf, block_gradient, block_adc, block_extension: index of the event in its tuple or -1, shape
        `(blocks,)`; `block_gradient` has one row an axis, `(3, blocks)`
    source, sha256: where the file lay, and the hash of its bytes
    """

    version: tuple[int, int, int]
    definitions: Mapping[str, float | tuple[float, ...] | str]
    rasters: Rasters
    waveforms: tuple[RfWaveform, ...]
    rf: tuple[RfEvent, ...]
    gradients: tuple[GradientEvent, ...]
    adcs: tuple[AdcEvent, ...]
    extensions: tuple[tuple[Extension, ...], ...]
    block_duration: np.ndarray
    block_rf: np.ndarray
    block_gradient: np.ndarray
    block_adc: np.ndarray
    block_extension: np.ndarray
    source: str
    sha256: str

    def __post_init__(self) -> None:
        freeze(self.block_duration, self.block_rf, self.block_gradient, self.block_adc, self.block_extension)
        object.__setattr__(self, "definitions", FrozenMapping(self.definitions))

    def __len__(self) -> int:
        """Number of blocks."""
        return self.block_duration.size

    @cached_property
    def block_start(self) -> np.ndarray:
        """Begin of each block [s], shape `(blocks,)`."""
        starts = np.cumsum(self.block_duration) - self.block_duration
        freeze(starts)
        return starts

    @cached_property
    def duration(self) -> float:
        """Length of the sequence [s]."""
        return float(self.block_duration.sum())

    @cached_property
    def rf_table(self) -> Mapping[str, np.ndarray]:
        """The numbers of all RF events by the names of `RfEvent`, each of shape `(events,)`."""
        numbers = (field.name for field in fields(RfEvent) if field.name != "use")
        kinds = {name: np.int64 if name == "waveform" else np.float64 for name in numbers}
        table = {name: np.fromiter(map(attrgetter(name), self.rf), kind, len(self.rf)) for name, kind in kinds.items()}
        freeze(*table.values())
        return FrozenMapping(table)

    def block(self, index: int) -> Block:
        """Block `index`, counted from 0 in playing order."""
        rf, adc, extension = (int(table[index]) for table in (self.block_rf, self.block_adc, self.block_extension))
        gradients = {
            axis: self.gradients[int(event)]
            for axis, event in zip(AXES, self.block_gradient[:, index], strict=True)
            if event >= 0
        }
        return Block(
            index=index,
            start=float(self.block_start[index]),
            duration=float(self.block_duration[index]),
            rf=self.rf[rf] if rf >= 0 else None,
            gradients=FrozenMapping(gradients),
            adc=self.adcs[adc] if adc >= 0 else None,
            extensions=self.extensions[extension] if extension >= 0 else (),
        )

    def blocks(self) -> Iterator[Block]:
        """The blocks in playing order."""
        return (self.block(index) for index in range(len(self)))

    @cached_property
    def adc_samples(self) -> int:
        """Number of samples that all ADC events together take."""
        played = self.block_adc[self.block_adc >= 0]
        counts = np.bincount(played, minlength=len(self.adcs))
        return int(sum(int(count) * adc.samples for count, adc in zip(counts, self.adcs, strict=True)))
