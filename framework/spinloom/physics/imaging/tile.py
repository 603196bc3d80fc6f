"""A tile: some rows by one register of columns of isochromats, all that is known of them in one array of one axis.

Table k of a tile is a register for each row, from k times `Layout.size` on.  First come its maps, then what it needs of
pulses and spans.  What tiles are played with comes as the tuples below: arrays that all of them share.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spinloom.physics.imaging.registers import ROWS

M0, START, R1, R2, B0, B1, TABLES = range(7)
"""Tables of a tile: its maps, and the first one that it works out."""


class Maps(NamedTuple):
    """Maps of all isochromats, `(rows, columns)`, rows whole blocks and columns whole registers.

    coils: real and imaginary part of each coil's sensitivity, `(2 coils, rows, columns)`; none where all are received
        alike
    """

    m0: np.ndarray
    start: np.ndarray
    r1: np.ndarray
    r2: np.ndarray
    b0: np.ndarray
    b1: np.ndarray
    coils: np.ndarray


class Layout(NamedTuple):
    """Where the tables of a tile begin: those of weights, spans, coils, pulses, maps, and room for polynomials.

    size: numbers of a table; terms: of a read, and coil_count: how often they are summed
    samples: numbers of all samples of a coil that are taken one by one
    registers: that all take together
    """

    size: int
    terms: int
    coil_count: int
    samples: int
    weights: int
    factors: int
    decays: int
    coils: int
    pulses: int
    maps: int
    work: int
    registers: int


class Spans(NamedTuple):
    """What passes between events; times are sums of two numbers, the first exact in the tiles' precision.

    factors: time, rest of it, and phase or -1 of each whole factor, `(factors, 3)`
    recoveries: of Mz that have tables [s]
    """

    factors: np.ndarray
    recoveries: np.ndarray


class Phases(NamedTuple):
    """cos and sin of moments at the rows of a chunk and at all columns, `(phases, 2, rows)`, `(phases, 2, columns)`."""

    rows: np.ndarray
    columns: np.ndarray


class Pulses(NamedTuple):
    """Maps of pulses as polynomials of a spin's numbers, or solved for each isochromat.

    first, first_pair: of the terms of each pulse and of its products, and the number of all, `(pulses + 1,)`
    counts, pairs, places, coefficients: as `pulse_terms.Terms` has them, all pulses together
    scales: middle of each number's range, and the inverse of half of it, `(pulses, 4, 2)`
    row_shifts, column_shifts: what the detuning adds to b0 [Hz], `(pulses, all rows)`, `(pulses, columns)`
    solved: entries for each isochromat of a chunk, `(solved, 12, rows, columns)`; which: of a pulse, -1 for polynomials
    full: whether a pulse meets M+, so that all of its entries are needed
    maps: pulse, recovery, factor before and factor after of each map that is played, `(maps, 4)`
    """

    first: np.ndarray
    first_pair: np.ndarray
    counts: np.ndarray
    pairs: np.ndarray
    places: np.ndarray
    coefficients: np.ndarray
    scales: np.ndarray
    row_shifts: np.ndarray
    column_shifts: np.ndarray
    solved: np.ndarray
    which: np.ndarray
    full: np.ndarray
    maps: np.ndarray


class Weights(NamedTuple):
    """Functions of b0 and r2 that weigh the sums of a read: degrees of all terms, the first being (0, 0), and scale.

    degrees: `(terms, 2)`; scale: middle and inverse half of the ranges of b0 and of r2
    """

    degrees: np.ndarray
    scale: np.ndarray


def layout_of(
    height: int, lanes: int, coils: int, samples: int, spans: Spans, pulses: Pulses, weights: Weights
) -> Layout:
    """Where everything of a tile of `height` rows of registers of `lanes` numbers lies."""
    size, terms = (height + ROWS) * lanes, len(weights.degrees)  # more than the rows, for the sets of the cache
    counts = terms - 1, 2 * len(spans.factors), len(spans.recoveries), 2 * coils, 12 * pulses.full.size
    begins = (TABLES + np.cumsum([0, *counts, 12 * len(pulses.maps)])) * size
    polynomials = max(
        2 + weights.degrees.max(axis=0).sum(), *(pulses.counts.sum(axis=1) + np.diff(pulses.first_pair)), 0
    )
    work = int(begins[-1])
    numbers = size, terms, coils, 2 * lanes * samples, *begins.tolist(), work // lanes + int(polynomials)
    return Layout._make(numbers)
