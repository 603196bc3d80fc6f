"""The schema of pulseq-cest pool models, in data: every key with its alias, unit, bound and default."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from spinloom.units import MICROTESLA


class Bound(Enum):
    """What a number must be, worded to follow "must be"."""

    FINITE = "finite"
    NOT_NEGATIVE = "finite and not below zero"
    POSITIVE = "finite and above zero"

    def holds(self, value: float) -> bool:
        """Whether `value` obeys the bound."""
        if self is Bound.POSITIVE:
            return 0 < value < math.inf
        return math.isfinite(value) and (self is Bound.FINITE or value >= 0)


@dataclass(frozen=True)
class Key:
    """A number that a pool model holds.

    name, alias: how files call it; only one of the two may stand in a section
    field: where `Tissue` or its pools hold it
    meaning: in words, with the unit of the name, and of the alias where that differs
    example: a fitting line, for errors
    default: where the key is missing; None where it is required
    alias_is_rate: whether the alias holds the reciprocal of the name, as r1 does of t1
    si_factor: SI units in one unit of the file
    """

    name: str
    field: str
    meaning: str
    bound: Bound
    example: str
    alias: str | None = None
    default: float | None = None
    alias_is_rate: bool = False
    si_factor: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and the alias where there is one."""
        return (self.name,) if self.alias is None else (self.name, self.alias)

    def to_si(self, value: float, name: str | None) -> float:
        """A file's `value` under `name` in SI units; the reciprocal of zero is infinite, which no bound allows."""
        if self.alias_is_rate and name == self.alias:
            return 1 / value if value else math.inf
        return value * self.si_factor


_T1 = Key(
    "t1",
    "t1",
    "longitudinal relaxation, t1 [s] or r1 [1/s]",
    Bound.POSITIVE,
    "t1: 1.2",
    alias="r1",
    alias_is_rate=True,
)
_T2 = Key(
    "t2",
    "t2",
    "transverse relaxation, t2 [s] or r2 [1/s]",
    Bound.POSITIVE,
    "t2: 0.07",
    alias="r2",
    alias_is_rate=True,
)

WATER_KEYS = (
    Key("f", "f", "fraction of water, the unit of the others", Bound.POSITIVE, "f: 1.0", default=1.0),
    _T1,
    _T2,
)
T2STAR = Key(
    "t2star",
    "t2star",
    "decay time of the free induction, at most t2 [s]",
    Bound.POSITIVE,
    "t2star: 0.033",
)
EXCHANGE_KEYS = (Key("k", "k", "exchange rate from the first pool to the second [1/s]", Bound.NOT_NEGATIVE, "k: 20"),)
POOL_KEYS = (
    Key("f", "f", "proton fraction relative to water", Bound.NOT_NEGATIVE, "f: 0.1 / 111"),
    _T1,
    _T2,
    Key("k", "k", "exchange rate to water [1/s]", Bound.NOT_NEGATIVE, "k: 50"),
    Key("dw", "shift_ppm", "chemical shift from water [ppm]", Bound.FINITE, "dw: 3.5"),
)
SCANNER_KEYS = (
    Key("b0", "b0", "static field [T]", Bound.POSITIVE, "b0: 3"),
    Key(
        "gamma",
        "gamma",
        "gyromagnetic ratio [rad/s/uT]",
        Bound.POSITIVE,
        "gamma: 267.5153",
        default=267.5153,
        si_factor=1 / MICROTESLA,
    ),
    Key(
        "b0_inhom",
        "b0_shift_ppm",
        "field inhomogeneity [ppm]",
        Bound.FINITE,
        "b0_inhom: 0.1",
        alias="b0_inhomogeneity",
        default=0.0,
    ),
    Key(
        "rel_b1",
        "rel_b1",
        "transmit field relative to nominal",
        Bound.NOT_NEGATIVE,
        "rel_b1: 0.9",
        alias="relb1",
        default=1.0,
    ),
    Key(
        "scale",
        "initial_scale",
        "magnetisation after a reset, relative to equilibrium",
        Bound.FINITE,
        "scale: 0.5",
        default=1.0,
    ),
)

SECTIONS = WATER, SEMISOLID, EXCHANGING, EXCHANGE = "water_pool", "mt_pool", "cest_pool", "exchange"
LINESHAPE = "lineshape"
COMPONENTS = "components"
COMPONENTS_DEFAULT = 1
ISOCHROMATS = "isochromats"
ISOCHROMATS_DEFAULT = 100
SETTINGS = RESET, MAX_SAMPLES, VERBOSE = "reset_init_mag", "max_pulse_samples", "verbose"
RESET_DEFAULT = True
MAX_SAMPLES_DEFAULT = 500
VERBOSE_DEFAULT = False
