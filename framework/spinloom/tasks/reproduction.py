"""What came of running something again: whether it is the same, and in what it differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Repeated:
    """How a repetition compares with the run that it repeats.

    identical: whether every number that is compared is the same, bit for bit
    agrees: whether the differences are no more than rounding may make
    differences: in what they differ, in parts of a sentence
    """

    identical: bool
    agrees: bool
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Reproduction:
    """A run and its repetition.

    name: of the run
    repeated: how they compare
    changed: packages that have another version now, as `name old -> new`
    """

    name: str
    repeated: Repeated
    changed: tuple[str, ...]
